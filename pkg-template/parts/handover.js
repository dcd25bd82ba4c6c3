// @ts-check

/**
 * What the engine is handing to a bundled part in the call it is making right now.
 *
 * The bundled store and bus belong to the same package as the engine, so they may keep what it gives them
 * instead of copying it. The engine sets a field just before a synchronous call and clears it just after;
 * a part compares it with what it was given, so nobody else's objects are ever taken for the engine's own.
 *
 * - `change`: in `store.commit(change)`, all of it is private to the engine and is never changed again.
 * - `event`: in `bus.emit(event.type, event.payload)`, the event of the job's history that is being told.
 *
 * @type {{ event: import('./noted-event.js').NotedEvent | import('../index.d.ts').JobEvent | null, change: import('../index.d.ts').JobChange | null }}
 */
export const handover = { event: null, change: null };

/**
 * The `commit` methods of stores that take a change of the engine's as the engine has it: the events as they were noted, and
 * context values and steps as lists of keys and values. Objects with keys that nobody has seen before are slow to make.
 *
 * @type {WeakSet<Function>}
 */
export const takesNoted = new WeakSet();

/**
 * The `commit` methods of stores that keep what the engine hands over, so that both have it only once.
 *
 * @type {WeakSet<Function>}
 */
export const keepsOwn = new WeakSet();

/**
 * Of stores in memory: what gives the engine a job, a head or heads as they are kept, by their methods `getJob`, `getHead`
 * and `listJobs`. The engine reads a job at once, and changes nothing in it.
 *
 * @type {WeakMap<Function, (asked: any) => any>}
 */
export const uncopied = new WeakMap();

/**
 * Of stores whose jobs can be copied later as they are now: what does so, by their `getJob` method.
 *
 * @type {WeakMap<Function, (jobId: string) => Snapshot | null>}
 *
 * @typedef {{ status: string, read: () => import('../index.d.ts').Job }} Snapshot
 */
export const snapshots = new WeakMap();

/**
 * Of stores that refuse a commit of the engine's where the control record is another than they knew: whether it said, when
 * it was last read, that nothing is paused, by their `getControl` method. So it need not be read before each commit. Of
 * the store in memory: whether it says so now.
 *
 * @type {WeakMap<Function, () => boolean>}
 */
export const unpausedOf = new WeakMap();
