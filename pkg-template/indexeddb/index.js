// @ts-check
export { createIndexedDbStore } from './store.js';
