// On its older compatibility dates workerd compiles no bytes at run time; a module it imports is compiled before.
import { needCore } from './engine/core.js';
import { Histogram } from './engine/histogram.js';
import { bindVerifyRun } from './engine/histories.js';
import { initSync } from './engine/jobwright_wasm.js';
import module from './engine/jobwright_wasm.wasm';
import { bindOrchestrator } from './engine/orchestrator.js';
import { bindSimulatePlan, bindValidatePlan } from './engine/plans.js';
import { bindPerformanceMonitor } from './parts/performance-monitor.js';

export * from './exports.js';

const load = () => initSync({ module });

export const createOrchestrator = bindOrchestrator(load);
export const validatePlan = bindValidatePlan(load);
export const verifyRun = bindVerifyRun(load);
export const simulatePlan = bindSimulatePlan(load);
export const createPerformanceMonitor = bindPerformanceMonitor(() => {
  needCore(load);
  return Histogram;
});
