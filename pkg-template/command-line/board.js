// @ts-check
/** A job as bars that move: how far it is, and what its steps are doing. */
import { hasEnded, standing } from './jobs.js';
import { isOf, stepName } from './progress.js';
import { duration, plain } from './text.js';

/**
 * @typedef {import('./terminal.js').Terminal} Terminal
 * @typedef {import('./program.js').Session} Session
 * @typedef {import('./progress.js').Told} Told
 * @typedef {import('jobwright').Job} Job
 *
 * @typedef {object} Row a step that is under way or waits
 * @property {string} state in words
 * @property {number} since
 * @property {{ done: number, total: number }} [items]
 */

/** Milliseconds between two drawings. */
const PACE = 100;

const BAR = 24;

/**
 * @param {number} done
 * @param {number} total
 * @param {number} [width]
 */
export function bar(done, total, width = BAR) {
  const full = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : 0;
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

/**
 * @param {Terminal} terminal
 * @param {Session} session
 * @param {string} root
 */
export async function createBoard(terminal, session, root) {
  const job = await session.store.getJob(root);
  const board = new Board(terminal, root, job ?? null);
  const timer = setInterval(() => board.draw(), PACE);
  // What others do to child jobs is no event of this one.
  const askForChildren = async () => {
    board.children = await childrenOf(session, root);
  };
  const asking = board.isParent ? setInterval(askForChildren, 1_000) : undefined;
  /** @param {Told} event @returns {Promise<void>} */
  const countItems = async ({ type, payload }) => {
    if (type !== 'item_started' || payload.item !== 0 || payload.jobId !== root) return;
    const states = (await session.store.getJob(root))?.run?.steps;
    board.takeCount(payload.step, states?.[payload.step]?.fanOut?.count);
  };
  return {
    /** The number of the last event that it knows. */
    seq: job?.run?.seq ?? 0,
    /** @param {Told} event */
    tell(event) {
      board.tell(event);
      // How many items there are stands in the history, and not in what is told as it happens.
      countItems(event).catch(() => {});
    },
    /** Until something happens, the terminal is somebody else's. */
    hold() {
      board.held = true;
      terminal.settle();
    },
    end() {
      clearInterval(timer);
      clearInterval(asking);
      if (!board.held) board.draw();
      board.held = true;
      terminal.settle();
    },
  };
}

/**
 * @param {Session} session
 * @param {string} jobId
 */
async function childrenOf({ orchestrator }, jobId) {
  try {
    const { progressText, total, completed, failed, cancelled } = await orchestrator.childStats(jobId);
    return total === 0 ? '' : `${bar(completed + failed + cancelled, total)} ${progressText}`;
  } catch {
    return '';
  }
}

class Board {
  /**
   * @param {Terminal} terminal
   * @param {string} root
   * @param {Job | null} job as it is when this begins
   */
  constructor(terminal, root, job) {
    this.terminal = terminal;
    this.root = root;
    /** The steps of the plan that have ended. @type {Set<string>} */
    this.ended = new Set();
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.standing = '';
    this.cost = 0;
    this.since = Date.now();
    this.until = NaN;
    this.total = 0;
    this.isParent = job?.type === 'parent';
    this.children = '';
    this.held = false;
    if (job !== null) this.begin(job);
  }

  /** @param {Job} job */
  begin(job) {
    this.total = job.run?.plan?.steps.length ?? 0;
    this.standing = standing(job);
    this.since = job.timing.started ?? job.timing.created;
    this.until = job.timing.completed ?? NaN;
    for (const event of job.history) this.take(event);
  }

  /** Something happened: what waits for somebody is over. @param {Told} event */
  tell(event) {
    if (!isOf(this.root, event.payload?.jobId)) return;
    this.take(event);
    this.held = false;
  }

  /** @param {Told} event */
  take({ type, payload, meta }) {
    if (typeof payload !== 'object' || payload === null) return;
    const own = payload.jobId === undefined || payload.jobId === this.root;
    if (own && type.startsWith('job_')) this.takeJob(type, payload, meta?.timestamp);
    else if (typeof payload.step === 'string')
      this.takeStep(type, payload, own, meta?.timestamp ?? Date.now());
  }

  /**
   * @param {string} type
   * @param {any} payload
   * @param {number} [at]
   */
  takeJob(type, { reason }, at) {
    if (type === 'job_started') this.standing = 'running';
    if (type === 'job_paused') this.standing = reason === undefined ? 'paused' : `paused (${plain(reason)})`;
    if (type === 'job_completed' || type === 'job_failed') {
      this.standing = type === 'job_completed' ? 'completed' : 'failed';
      this.until = at ?? Date.now();
      this.rows.clear();
    }
  }

  /**
   * @param {string} type
   * @param {any} payload
   * @param {boolean} own
   * @param {number} at
   */
  takeStep(type, payload, own, at) {
    const name = stepName(this.root, { ...payload, item: undefined });
    const { agent, attempt = 0, items, error, retryAt, cost } = payload;
    if (typeof cost === 'number') this.cost += cost;
    const row = this.rows.get(name) ?? { state: '', since: at };
    const enter = (/** @type {string} */ state) => this.rows.set(name, { ...row, state });
    const leave = () => {
      this.rows.delete(name);
      if (own) this.ended.add(name);
    };
    switch (type) {
      case 'step_started':
        enter(
          ['running', agent === undefined ? '' : plain(agent, 40), attempt > 1 ? `attempt ${attempt}` : '']
            .filter(Boolean)
            .join(', '),
        );
        if (Array.isArray(items))
          this.rows.set(name, { ...row, state: 'running', items: { done: 0, total: items.length } });
        return;
      case 'item_completed':
        if (row.items !== undefined) row.items.done += 1;
        else this.rows.set(name, { ...row, state: 'running', items: { done: 1, total: 0 } });
        return;
      case 'approval_requested':
        enter('waits for approval');
        return;
      case 'step_approved':
        enter('approved');
        return;
      case 'step_suspended':
        enter('waits for its child job');
        return;
      case 'step_failed':
        if (retryAt === undefined) leave();
        else enter(`${plain(error?.message ?? 'failed', 80)}; tries again`);
        return;
      case 'step_completed':
      case 'step_skipped':
      case 'step_rejected':
        leave();
    }
  }

  /**
   * @param {string} step
   * @param {number | undefined} total
   */
  takeCount(step, total) {
    const row = this.rows.get(stepName(this.root, { step }));
    if (row === undefined || total === undefined) return;
    row.items = { done: row.items?.done ?? 0, total };
  }

  draw() {
    if (!this.held) this.terminal.rewrite(this.lines());
  }

  lines() {
    const { terminal, ended, total, cost } = this;
    const now = Date.now();
    const share = total > 0 ? ` ${ended.size}/${total} steps` : ` ${ended.size} steps`;
    const time = duration((Number.isNaN(this.until) ? now : this.until) - this.since);
    const figures = [share.trim(), cost > 0 ? `cost ${cost}` : '', time].filter(Boolean).join(', ');
    const width = terminal.columns() - 1;
    const head = `Job ${plain(this.root, 60)} ${this.standing}`;
    const rows = [...this.rows].map(([name, row]) => this.row(name, row, now));
    // The head, the bar, and what has room below them.
    const room = Math.max(1, terminal.rows() - 5);
    const shown = rows.slice(0, room);
    if (rows.length > room) shown.push(`  and ${rows.length - room} more`);
    if (this.children !== '') shown.unshift(`  children ${this.children}`);
    return [
      terminal.paint(head.slice(0, width), hasEnded({ status: this.standing }) ? 'bold' : 'cyan'),
      `${bar(ended.size, total)} ${figures}`.slice(0, width),
      ...shown.map((line) => line.slice(0, width)),
    ];
  }

  /**
   * @param {string} name
   * @param {Row} row
   * @param {number} now
   */
  row(name, { state, since, items }, now) {
    if (items === undefined) return `  ${name}  ${state}, ${duration(now - since)}`;
    const of =
      items.total > 0 ? `${bar(items.done, items.total)} ${items.done}/${items.total}` : `${items.done} done`;
    return `  ${name}  ${of}, ${duration(now - since)}`;
  }
}
