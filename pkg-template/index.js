import { needCore } from './engine/core.js';
import { Histogram } from './engine/histogram.js';
import { bindVerifyRun } from './engine/histories.js';
import { initSync } from './engine/jobwright_wasm.js';
import { bindOrchestrator } from './engine/orchestrator.js';
import { bindSimulatePlan, bindValidatePlan } from './engine/plans.js';
import { inlined } from './engine/wasm-inline.js';
import { bindPerformanceMonitor } from './parts/performance-monitor.js';

export * from './exports.js';

const source = {
  get module() {
    return inlined();
  },
};
const load = () => initSync(source);

export const createOrchestrator = bindOrchestrator(load);
export const validatePlan = bindValidatePlan(load);
export const verifyRun = bindVerifyRun(load);
export const simulatePlan = bindSimulatePlan(load);
export const createPerformanceMonitor = bindPerformanceMonitor(() => {
  needCore(load);
  return Histogram;
});
