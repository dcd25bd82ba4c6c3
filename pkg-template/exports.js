/** What both entries export beside what is bound to the wasm module. */

export * from './parts/index.js';
export { planToMermaid } from './plans/mermaid.js';

export const JOB_STATUS = /* @__PURE__ */ Object.freeze({
  CREATED: 'created',
  RUNNING: 'running',
  PAUSED: 'paused',
  COMPLETED: 'completed',
  FAILED: 'failed',
});
