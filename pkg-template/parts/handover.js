// @ts-check

/**
 * What the engine is handing to a bundled part in the call it is making right now.
 *
 * The bundled store and bus belong to the same package as the engine, so they may keep what it gives them
 * instead of copying it. The engine sets a field just before a synchronous call and clears it just after;
 * a part compares it with what it was given, so nobody else's objects are ever taken for the engine's own.
 *
 * - `change`: in `store.commit(change)`, its context values, events and steps are private to the engine and
 *   are never changed again.
 * - `event`: in `bus.emit(event.type, event.payload)`, the event of the job's history that is being told.
 *
 * @type {{ event: import('../index.d.ts').JobEvent | null, change: import('../index.d.ts').JobChange | null }}
 */
export const handover = { event: null, change: null };
