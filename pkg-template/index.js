import { bindVerifyRun } from './engine/histories.js';
import { Histogram, initSync } from './engine/jobwright_wasm.js';
import { bindOrchestrator } from './engine/orchestrator.js';
import { bindSimulatePlan, bindValidatePlan } from './engine/plans.js';
import { inlined } from './engine/wasm-inline.js';
import { bindPerformanceMonitor } from './parts/performance-monitor.js';

export * from './exports.js';

// Each export below needs its value: as a bare statement, bundlers would drop the initialisation.
const wasm = initSync({ module: inlined() });

export const createOrchestrator = bindOrchestrator(wasm);
export const validatePlan = bindValidatePlan(wasm);
export const verifyRun = bindVerifyRun(wasm);
export const simulatePlan = bindSimulatePlan(wasm);
export const createPerformanceMonitor = bindPerformanceMonitor(wasm && Histogram);
