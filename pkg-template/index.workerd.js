// On its older compatibility dates workerd compiles no bytes at run time; a module it imports is compiled before.
import { bindVerifyRun } from './engine/histories.js';
import { Histogram, initSync } from './engine/jobwright_wasm.js';
import module from './engine/jobwright_wasm.wasm';
import { bindOrchestrator } from './engine/orchestrator.js';
import { bindSimulatePlan, bindValidatePlan } from './engine/plans.js';
import { bindPerformanceMonitor } from './parts/performance-monitor.js';

export * from './exports.js';

// Each export below needs its value: as a bare statement, bundlers would drop the initialisation.
const wasm = initSync({ module });

export const createOrchestrator = bindOrchestrator(wasm);
export const validatePlan = bindValidatePlan(wasm);
export const verifyRun = bindVerifyRun(wasm);
export const simulatePlan = bindSimulatePlan(wasm);
export const createPerformanceMonitor = bindPerformanceMonitor(wasm && Histogram);
