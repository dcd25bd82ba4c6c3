// @ts-check
/** What is imported when it is first needed, from one file. */

export * from '../replay/index.js';
export { health } from './health.js';
