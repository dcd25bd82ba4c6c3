/**
 * jobwright: a deterministic job orchestrator for agent workflows.
 *
 * Units: every time is in milliseconds; every timestamp is Unix epoch milliseconds.
 *
 * @packageDocumentation
 */

export * from './types/errors.js';
export * from './types/host.js';
export * from './types/jobs.js';
export * from './types/operations.js';
export * from './types/orchestrator.js';
export * from './types/outcomes.js';
export * from './types/parts.js';
export * from './types/plans.js';
export * from './types/replay.js';
export * from './types/simulation.js';
