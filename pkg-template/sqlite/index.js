// @ts-check
export { createSqliteStore } from './store.js';
