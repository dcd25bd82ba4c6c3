export { type EdgeState, edgeState } from './edges';
export { type Fact, isRecord, member, STEP_STATUSES, type StepStatus } from './event';
export type { Write } from './fold';
export { countBefore, History, lastBefore, type Spent } from './history';
export { type PlanRead, type PlanStep, readPlan, type StepKind } from './plan';
export { type Span, type SpanKind, WAITING_KINDS } from './spans';
export { type Approval, type Items, itemId, type JobState, keyOf, type StepNow, statusOf } from './state';
export { historyOf } from './stored';
export { addCauses, type Causes, type TraceRow, traceRows } from './trace';
