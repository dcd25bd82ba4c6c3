// @ts-check
export { createAgentRegistry } from './agent-registry.js';
export { createBudgetManager } from './budget-manager.js';
export { ConflictError, JobwrightError, NonRetryableError } from './errors.js';
export { createEventBus } from './event-bus.js';
export { createMemoryStore } from './memory-store.js';
