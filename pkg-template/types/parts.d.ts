// The bundled parts, each usable alone.

import type {
  Agent,
  AgentFn,
  BudgetManager,
  EventBus,
  JobStore,
  Logger,
  PerformanceMonitor,
} from './host.js';
import type { JobEvent, TraceContext } from './jobs.js';

/**
 * A store that keeps jobs in this process's memory, with revisions and leases as the durable stores have them.
 *
 * @example
 * const orchestrator = createOrchestrator({ store: createMemoryStore() });
 *
 * @param options `now`: the clock that leases go by, in epoch milliseconds. Default: `Date.now`.
 */
export function createMemoryStore(options?: { now?: () => number }): Required<JobStore>;

/** The bundled event bus. */
export interface JobEventBus extends Required<EventBus> {
  /**
   * Tells an event to the handlers of its type, then to those of all, and returns it. `parent` is the trace of what
   * caused it. A handler that throws disturbs nobody.
   *
   * @example
   * bus.emit('report_ready', { path: 'report.md' }, 'reporter');
   */
  emit(type: string, payload: unknown, source?: string, parent?: Partial<TraceContext>): JobEvent;
  /**
   * Calls the handler with each event of this type, until the returned function is called.
   *
   * @example
   * const off = bus.on('job_completed', (event) => console.log(event.payload));
   */
  on(type: string, handler: (event: JobEvent) => unknown): () => void;
  /**
   * Calls the handler with every event, until the returned function is called.
   *
   * @example
   * const off = bus.onAny((event) => console.log(event.type));
   */
  onAny(handler: (event: JobEvent) => unknown): () => void;
}

/**
 * An event bus within this process.
 *
 * @example
 * const eventBus = createEventBus();
 * eventBus.on('step_completed', (event) => console.log(event.payload));
 * const orchestrator = createOrchestrator({ eventBus });
 */
export function createEventBus(options?: { logger?: Logger }): JobEventBus;

/** The bundled budget manager. Amounts are integers in the user's unit; a fraction that was spent counts as a whole one. */
export interface JobBudgetManager extends Required<BudgetManager> {
  /**
   * Sets a scope's limit; what was spent stays spent.
   *
   * @example
   * await budget.setBudget(jobId, 1000);
   */
  setBudget(scopeId: string, limit: number): Promise<{ success: true }>;
  /**
   * What a scope has and has used, or null.
   *
   * @example
   * const left = await budget.getBudget(jobId); // { id, limit: 1000, spent: 40, reserved: 0 }
   */
  getBudget(scopeId: string): Promise<{ id: string; limit: number; spent: number; reserved: number } | null>;
}

/**
 * A budget manager with exact reservations. A scope past its limit is refused ("Budget exceeded"), and so is one
 * that was never given a budget ("No budget found"), unless it is a child: then the nearest ancestor's counts.
 *
 * @example
 * const budgetManager = createBudgetManager();
 * await budgetManager.setBudget('job-1', 1000);
 */
export function createBudgetManager(options?: { store?: object }): JobBudgetManager;

/** Milliseconds, but for `count`. */
export interface DurationStats {
  count: number;
  min: number;
  max: number;
  avg: number;
  p50: number;
  p90: number;
  p99: number;
}

/** The bundled performance monitor. */
export interface JobPerformanceMonitor extends Required<PerformanceMonitor> {
  /**
   * What was recorded so far, by name.
   *
   * @example
   * console.table(monitor.stats());
   */
  stats(): Record<string, DurationStats>;
}

/**
 * A monitor that keeps distributions in bounded memory, however much it records.
 *
 * @example
 * const performanceMonitor = createPerformanceMonitor();
 */
export function createPerformanceMonitor(options?: object): JobPerformanceMonitor;

/** The bundled agent registry. */
export interface JobAgentRegistry {
  get(name: string): Agent | undefined;
  /**
   * Adds an agent, or replaces the one of that name.
   *
   * @example
   * registry.register('greet', (name) => `Hello ${name}`);
   */
  register(name: string, agent: Agent | AgentFn): void;
  /** The names of all agents. */
  list(): string[];
}

/**
 * A registry that agents can be added to while jobs run.
 *
 * @example
 * const agentRegistry = createAgentRegistry({ greet: (name) => `Hello ${name}` });
 */
export function createAgentRegistry(agents?: Record<string, Agent | AgentFn>): JobAgentRegistry;
