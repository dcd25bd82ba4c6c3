import type { AgentContext, AgentFn, Clock, JobStore } from '../index.js';

/** A test's body. Where the runner gives it a context with `skip`, that is called for what can't be tested. */
export type TestBody = (context?: { skip?(message?: string): unknown }) => Promise<void>;

/** What registers a test: node's own runner, Vitest, Mocha, Jest and others have such a `test` or `it`. */
export interface TestRunner {
  test?: (name: string, body: TestBody) => unknown;
  it?: (name: string, body: TestBody) => unknown;
}

/** A store, and a way to open further ones on the same data, as another process would. */
export interface SharedJobStore {
  store: JobStore;
  open(): JobStore | PromiseLike<JobStore>;
}

/**
 * Tests a store against everything that jobwright relies on. What needs an optional method that the store does
 * not have is skipped.
 *
 * @param name What the tests are called by.
 * @param makeStore Gives an empty store, once for each test. With a function `open` beside it, a second store on the
 *   same data takes part, where several commit at the same moment or one watches what the other writes. All are closed
 *   afterwards if they have a `close`.
 * @param runner Anything with `test` or `it`. Node's own test runner where none is given.
 *
 * @example
 * testJobStore('my store', () => createMyStore());
 *
 * @example
 * testJobStore('my store', async () => {
 *   const path = newPath();
 *   return { store: await openMyStore(path), open: () => openMyStore(path) };
 * });
 */
export function testJobStore(
  name: string,
  makeStore: () => JobStore | SharedJobStore | PromiseLike<JobStore | SharedJobStore>,
  runner?: TestRunner,
): void;

/** Time that moves when told to. */
export interface VirtualClock extends Clock {
  /** Epoch milliseconds. Stands still but for `advance`. */
  now(): number;
  /**
   * Ends when `advance` has moved time on by `ms` milliseconds; a sleep for 0 ms too waits for an `advance`. Rejects
   * with the signal's reason when that aborts first.
   */
  sleep(ms: number, signal?: AbortSignal | null): Promise<void>;
  /**
   * Moves time on by `ms` milliseconds, from one sleep that is due to the next. Those due at the same time end in the
   * order in which they were asked for. Before each, and at the end, all that can happen without time passing happens,
   * so that what a woken program then sleeps for counts too; `advance(0)` does only that. What waits for the world
   * outside, such as a network, a file or a real timer, is not waited for: await it, then advance.
   *
   * Calls made while another is under way take their turns.
   *
   * @example
   * const run = orchestrator.runJob(jobId);
   * await clock.advance(3 * 24 * 60 * 60 * 1000);
   * const outcome = await run;
   */
  advance(ms: number): Promise<void>;
  /** How many sleeps have not ended: 0 when nothing waits for time. */
  pending(): number;
  /** When the next sleep is due, in epoch milliseconds; null when none is pending. */
  nextDue(): number | null;
}

/**
 * A clock for tests. As `clock` among an orchestrator's dependencies it drives all of its timers: `wait` steps, time
 * limits, waits between attempts, slow play. What takes days then takes milliseconds, and goes the same way each time.
 *
 * @param start Epoch milliseconds. Default: 0.
 *
 * @example
 * const clock = createVirtualClock(Date.UTC(2030, 0, 1));
 * const orchestrator = createOrchestrator({ clock, agentRegistry });
 */
export function createVirtualClock(start?: number): VirtualClock;

/** One call of a scripted agent. */
export interface ScriptedCall {
  // biome-ignore lint/suspicious/noExplicitAny: the test knows its inputs
  input: any;
  /** From 1. */
  attempt: number;
  /** The step's id. As the fields below, undefined where a test called the agent itself, without a context. */
  step: string | undefined;
  jobId: string | undefined;
  /** The same for every attempt at the same step of the same job. */
  idempotencyKey: string | undefined;
}

/** An agent that answers with what it was given beforehand. */
export type ScriptedAgent = AgentFn & {
  /** Every call until now, in order. */
  readonly calls: ScriptedCall[];
};

/** An Error is thrown, a function is called with the input and the context, anything else is the answer. */
// biome-ignore lint/complexity/noBannedTypes: `unknown` would swallow the function, and its parameters' types
// biome-ignore lint/suspicious/noExplicitAny: the test knows its inputs
export type ScriptedOutput = ((input: any, context: AgentContext) => unknown) | {} | null | undefined;

/**
 * An agent that answers its calls, in the order in which they are made, with one of `outputs` after the other. An
 * `Error` is thrown; a function is called with the input and the context, and answers for itself; anything else is
 * returned as it is, promises too. A call for which there is no output left fails, and is not tried again.
 *
 * @example
 * const writer = scriptedAgent([new Error('overloaded'), 'a draft', (input) => `${input}, improved`]);
 * const orchestrator = createOrchestrator({ agentRegistry: { writer } });
 * // ... and after the run:
 * assert.deepEqual(writer.calls.map(({ attempt }) => attempt), [1, 2, 1]);
 */
export function scriptedAgent(outputs: readonly ScriptedOutput[]): ScriptedAgent;

/**
 * What can happen to a call of a store. `before`: it rejects, and nothing was done. `after`: it rejects, and everything
 * was done. `delay`: it takes time, before or after it is done. `stale`: a read is answered with what an earlier one
 * gave. `hang`: it never settles, done or not.
 */
export type FaultKind = 'before' | 'after' | 'delay' | 'stale' | 'hang';

/** One thing that happened. */
export interface Fault {
  /** Which of the calls, counted from 1. */
  call: number;
  method: string;
  /** Undefined where the call was about no job. */
  jobId?: string;
  kind: FaultKind;
  /** Was the store asked before the call rejected, was delayed or hung? */
  acted: boolean;
}

export interface FaultyOptions {
  /** An integer. The same seed does the same things to the same calls. */
  seed: number;
  /** How many of the calls something happens to, from 0 to 1. Default: 0.1. */
  rate?: number;
  /**
   * What may happen. Default: all but `hang`, because nothing that waits for a call that hangs ends by itself: ask for it
   * in tests that don't wait for their operations, or that call `release`.
   */
  kinds?: readonly FaultKind[];
  /** The longest delay, in milliseconds. Default: 1,000. Without a clock, some turns of the event loop. */
  delayMs?: number;
  /** What delays go by: a virtual clock, so that the test says when they end. */
  clock?: Clock;
}

/** A store to which things happen. It has the optional methods that the store has, each with a promise. */
export type FaultyJobStore<S extends JobStore = JobStore> = S & {
  /** What happened until now, in order. */
  readonly faults: readonly Fault[];
  /** How many calls are hanging. */
  hanging(): number;
  /** Makes the calls that hang reject. Gives how many there were. */
  release(): number;
};

/**
 * Wraps a store so that its calls fail, by a seed: what an orchestrator over it does when a database is slow, loses a
 * connection in the middle of a commit, or answers from a replica that is behind.
 *
 * What happens to a call depends on the seed and on how many calls came before it, and on nothing else. Rejections have
 * the name "FaultError" and tell the call.
 *
 * @example
 * const store = createMemoryStore();
 * const orchestrator = createOrchestrator({ store: faulty(store, { seed: 7 }), agentRegistry });
 */
export function faulty<S extends JobStore>(store: S, options: FaultyOptions): FaultyJobStore<S>;
