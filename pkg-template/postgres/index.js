// @ts-check
export { createPostgresStore } from './store.js';
