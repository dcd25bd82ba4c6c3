// @ts-check
export { testJobStore } from './store-conformance.js';
