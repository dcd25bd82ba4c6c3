// @ts-check
import { describe } from '../parts/plain.js';
import { core } from './core.js';
import { operate } from './executor.js';
import { hearOfChild } from './monitor.js';

/** After a notice that anything may have changed, whatever comes within this time is one with it. */
const MISSED_EVERY_MS = 250;

/** How long a watching that has not begun is waited for when it is to end. */
const PATIENCE_MS = 2_000;

/** How often a store is asked that could not be watched, and how often it is tried to watch it. */
const ASK_MS = 5_000;

/**
 * What others do to the jobs that this orchestrator works on, as far as the store tells: see `JobStore.watch`. It makes
 * known early what is found anyway, when the next commit is refused or the store is asked.
 */
export class Notices {
  /** @param {import('./engine.js').Engine} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {Promise<unknown> | null} resolves with what ends the watching */
    this.watching = null;
    this.isWatching = false;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.missed = null;
    /** Ends the wait before a store that could not be watched is asked. */
    this.wake = () => {};
  }

  /** From the first time on that anybody here could want to know. */
  begin() {
    const { engine } = this;
    if (this.watching !== null || engine.closed || engine.isAlone) return;
    if (typeof engine.store.watch !== 'function') return;
    this.watching = this.watch().catch((error) => {
      engine.log('warn', 'The store could not be watched', error);
      return this.watchLater(error);
    });
  }

  async watch() {
    const stop = await this.engine.store.watch((/** @type {any} */ notice) => this.hear(notice));
    this.isWatching = true;
    // Nobody was told of what happened until now.
    this.lookSoon();
    return stop;
  }

  /**
   * Until the store can be watched, it is asked: who follows a job would else hear of nothing.
   *
   * @param {any} error with which it could not be
   */
  async watchLater(error) {
    for (let last = error; !this.engine.closed; ) {
      await new Promise((resolve) => {
        /** @type {any} */
        const timer = setTimeout(resolve, ASK_MS);
        timer.unref?.();
        this.wake = () => resolve(clearTimeout(timer));
      });
      if (this.engine.closed) return;
      this.lookSoon();
      // What it says that it can't do it will not be able to do later.
      if (last?.code === 'unsupported') continue;
      try {
        return await this.watch();
      } catch (again) {
        last = again;
      }
    }
  }

  /** One that has not begun is waited for, so that its store can be closed next, but not for ever. */
  async end() {
    if (this.missed !== null) clearTimeout(this.missed);
    this.wake();
    const stopped = this.stop();
    if (this.isWatching || this.watching === null) return stopped;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([stopped, late]);
    clearTimeout(timer);
  }

  async stop() {
    try {
      const stop = await this.watching;
      if (typeof stop === 'function') await stop();
    } catch (error) {
      this.engine.log('warn', 'The watching of the store could not be ended', error);
    }
  }

  /** @param {any} notice as a store gave it: it may be anything */
  hear(notice) {
    if (this.engine.closed) return;
    try {
      const { type, jobId, parentId, revision } = notice;
      if (type === 'job') this.changed({ type, jobId, parentId, revision });
      else if (type === 'control') this.controlled();
      else if (type === 'missed') this.lookSoon();
    } catch (error) {
      this.engine.log('warn', "A notice of the store's could not be read", error);
    }
  }

  /** @param {{ type: string, jobId: string, parentId: string | undefined, revision: number }} notice */
  changed(notice) {
    const { engine } = this;
    const { jobId, parentId, revision } = notice;
    const slot = engine.jobs.byId.get(jobId);
    if (slot !== undefined) {
      // What is committed here is announced here.
      if (slot.isOwn(revision)) return;
      if (revision === slot.sent?.head?.run.revision) {
        slot.unsure = notice;
        return;
      }
      slot.current = false;
      if (slot.drivers > 0) this.look(slot);
    }
    engine.readers.storedMore(jobId);
    hearOfChild(engine, jobId, parentId);
  }

  /**
   * What was being sent was not stored, so that a notice of the same revision was of somebody else's.
   *
   * @param {import('./slots.js').JobSlot} slot
   */
  hearUnsure(slot) {
    const { unsure } = slot;
    if (unsure === null) return;
    slot.unsure = null;
    // Not from within the core.
    queueMicrotask(() => this.hear(unsure));
  }

  /** All jobs were paused, or started again. */
  controlled() {
    const { engine } = this;
    for (const { parent } of engine.monitors.values()) core.heard_of_child(engine.number, parent.key);
  }

  lookSoon() {
    if (this.missed !== null || this.engine.closed) return;
    this.missed = setTimeout(() => {
      this.missed = null;
      const { engine } = this;
      if (engine.closed) return;
      for (const slot of engine.jobs.byId.values()) if (slot.drivers > 0) this.look(slot);
      engine.readers.storedMore();
      for (const family of engine.monitors.values()) family.isMissed = true;
      this.controlled();
    }, MISSED_EVERY_MS);
    /** @type {any} */ (this.missed).unref?.();
  }

  /**
   * Somebody may have paused, ended, answered or signalled a job that is run here.
   *
   * @param {import('./slots.js').JobSlot} slot
   */
  look(slot) {
    const { engine } = this;
    slot.current = false;
    const begin = (/** @type {number} */ task) => core.look_again(engine.number, task, slot.key);
    operate(engine, slot, () => undefined, begin).catch((error) =>
      engine.log('warn', `Job ${describe(slot.id)} could not be looked at`, error),
    );
  }
}
