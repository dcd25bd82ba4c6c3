// @ts-check
import { pagesOf, readHead } from './heads.js';
import { JOB_STATUSES } from './names.js';

/** Stands after the codes of the statuses for a job that failed because it was cancelled. */
const CANCELLED = JOB_STATUSES.length;
const COMPLETED = JOB_STATUSES.indexOf('completed');
const UNKNOWN = -1;

/**
 * The children of one job, as one who counts them knows them.
 *
 * @typedef {{ standing: number, weight: number, revision: number, listed: number }} Child
 */
export class Family {
  /**
   * @param {import('./engine.js').Engine} engine
   * @param {import('./slots.js').JobSlot} parent
   */
  constructor(engine, parent) {
    this.engine = engine;
    this.parent = parent;
    /** @type {Map<string, Child>} */
    this.children = new Map();
    /** @type {Set<string>} children that were heard of and have to be read */
    this.unread = new Set();
    /** @type {number[]} what nobody has counted yet: for each change where the child stood, where it stands, what it counts */
    this.changes = [];
    /** How many of those numbers were taken. */
    this.taken = 0;
    /** How often all were read. */
    this.listings = 0;
    /** Any of them may have changed, and nobody said which. */
    this.isMissed = false;
    /** Not before then are all read because of that: a tenth of the time is enough. */
    this.rereadFrom = 0;
  }

  /**
   * Notes where a child stands, unless something newer is known. What has ended stays as it is.
   *
   * @param {any} head as a store gave it: it may be anything
   */
  note(head) {
    const { id, status, config, run } = head;
    const cancelled = status === 'failed' && run?.failure?.code === 'cancelled';
    // What is no status has not ended, as far as anybody knows.
    const standing = cancelled ? CANCELLED : Math.max(0, JOB_STATUSES.indexOf(status));
    const revision = Number(run?.revision ?? 0);
    const known = this.children.get(id);
    if (known === undefined) {
      const weight = weightOf(config?.weight);
      this.children.set(id, { standing, weight, revision, listed: this.listings });
      this.changes.push(UNKNOWN, standing, weight);
      return;
    }
    known.listed = this.listings;
    if (known.standing === standing || known.standing >= COMPLETED || revision < known.revision) return;
    this.changes.push(known.standing, standing, known.weight);
    known.standing = standing;
    known.revision = revision;
  }

  /** @param {string} id a child that is not stored any more; one that had ended still counts */
  drop(id) {
    const known = this.children.get(id);
    if (known === undefined || known.standing >= COMPLETED) return;
    this.changes.push(known.standing, UNKNOWN, known.weight);
    this.children.delete(id);
  }

  next() {
    const number = /** @type {number} */ (this.changes[this.taken]);
    this.taken += 1;
    if (this.taken === this.changes.length) {
      this.changes = [];
      this.taken = 0;
    }
    return number;
  }

  /** Reads the children that were heard of. */
  async readUnread() {
    if (this.isMissed && Date.now() >= this.rereadFrom) return this.readAll();
    for (const id of this.unread) {
      this.unread.delete(id);
      try {
        const head = await readHead(this.engine, id);
        if (head === null || head === undefined) this.drop(id);
        else if (head.parentId === this.parent.id) this.note(head);
      } catch (error) {
        this.unread.add(id);
        throw error;
      }
    }
  }

  /** Reads all children that there are. */
  async readAll() {
    const from = Date.now();
    this.isMissed = false;
    this.unread.clear();
    this.listings += 1;
    for await (const page of pagesOf(this.engine, { parentId: this.parent.id })) {
      for (const head of page) if (head.parentId === this.parent.id) this.note(head);
    }
    for (const [id, { listed }] of this.children) if (listed < this.listings) this.drop(id);
    const now = Date.now();
    this.rereadFrom = now + 9 * (now - from);
  }

  /** Has a job below the parent not ended, however far below? */
  async isOpen() {
    /** @type {Map<string, boolean>} is this job the parent, or below it? */
    const known = new Map([[this.parent.id, true]]);
    for await (const page of pagesOf(this.engine, { status: ['created', 'running', 'paused'] })) {
      for (const head of page) {
        const open = head.status !== 'completed' && head.status !== 'failed';
        if (open && (await this.isBelow(head, known))) return true;
      }
    }
    return false;
  }

  /**
   * @param {any} head
   * @param {Map<string, boolean>} known
   */
  async isBelow(head, known) {
    /** @type {string[]} */
    const way = [];
    for (let at = head; typeof at?.parentId === 'string'; at = await readHead(this.engine, at.parentId)) {
      const { parentId } = at;
      const answer = known.get(parentId);
      // Parents that go round in a ring come to an end.
      if (answer !== undefined || way.includes(parentId)) {
        for (const id of way) known.set(id, answer === true);
        return answer === true;
      }
      way.push(parentId);
    }
    for (const id of way) known.set(id, false);
    return false;
  }
}

/** @param {unknown} weight */
function weightOf(weight) {
  return typeof weight === 'number' && weight >= 0 && weight < Infinity ? weight : 1;
}
