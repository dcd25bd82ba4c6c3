// @ts-check
export { faulty } from './faulty.js';
export { scriptedAgent } from './scripted-agent.js';
export { testJobStore } from './store-conformance.js';
export { createVirtualClock } from './virtual-clock.js';
