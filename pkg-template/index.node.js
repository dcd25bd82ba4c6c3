import { bindVerifyRun } from './engine/histories.js';
import { Histogram, initSync } from './engine/jobwright_wasm.js';
import { bindOrchestrator } from './engine/orchestrator.js';
import { bindSimulatePlan, bindValidatePlan } from './engine/plans.js';
import { file, inlined } from './engine/wasm-inline.js';
import { bindPerformanceMonitor } from './parts/performance-monitor.js';

export * from './exports.js';

/** Reading the module takes a tenth of the time that unpacking it does. A program's bundle has no such file beside it. */
function read() {
  try {
    const here = import.meta.url;
    return process.getBuiltinModule('node:fs').readFileSync(new URL(file, here));
  } catch {
    return inlined();
  }
}

// Each export below needs its value: as a bare statement, bundlers would drop the initialisation.
const wasm = initSync({ module: read() });

export const createOrchestrator = bindOrchestrator(wasm);
export const validatePlan = bindValidatePlan(wasm);
export const verifyRun = bindVerifyRun(wasm);
export const simulatePlan = bindSimulatePlan(wasm);
export const createPerformanceMonitor = bindPerformanceMonitor(wasm && Histogram);
