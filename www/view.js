// @ts-check
/** What the page shows of a job. It decides nothing. */

/** @typedef {import('jobwright').Job} Job */
/** @typedef {import('jobwright').JobEvent} JobEvent */

/**
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @returns {E}
 */
export function byId(id) {
  return /** @type {E} */ (document.getElementById(id));
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const notes = /** @type {Record<string, string>} */ ({
  pending: '',
  running: 'running …',
  waiting: 'waiting',
  done: 'done',
  failed: 'failed',
});

/**
 * @param {import('jobwright').Plan} plan
 * @param {Job | null} job
 */
export function showSteps(plan, job) {
  const items = plan.steps.map(({ id }) => {
    const state = job?.run?.steps?.[id];
    const waits = job?.run?.approvals?.some((request) => request.step === id) ?? false;
    const status = waits ? 'waiting' : (state?.status ?? 'pending');
    const attempts = state && state.attempts > 1 ? `, attempt ${state.attempts}` : '';
    const item = element('li', '', '');
    item.dataset.step = id;
    item.dataset.status = status;
    const note = waits ? 'waiting for approval' : `${notes[status] ?? status}${attempts}`;
    item.append(element('span', 'dot', ''), element('span', 'name', id), element('span', 'note', note));
    return item;
  });
  byId('steps').replaceChildren(...items);
}

/** @param {Job} job */
export function showJob(job) {
  const status = byId('status');
  status.textContent = job.status;
  status.dataset.status = job.status;
  byId('job-id').textContent = `Job ${job.id}`;
  const [request] = job.run?.approvals ?? [];
  byId('approval').hidden = !request;
  if (request) byId('approval-text').textContent = `The step "${request.step}" asks for your approval.`;
  byId('result').textContent = resultOf(job);
}

/** @param {Job} job */
function resultOf(job) {
  if (job.status === 'completed') return String(job.context.publish);
  if (job.status === 'failed')
    return `Ended without a report: ${job.run?.failure?.message ?? 'no reason given'}`;
  return '';
}

/** Said elsewhere on the page, or of no use to a person. */
const unsaid = new Set(['jobId', 'agent', 'approval', 'retryAt']);

/** @param {JobEvent} event */
export function addEvent(event) {
  const list = byId('events');
  const about = Object.entries(event.payload ?? {}).filter(([key]) => !unsaid.has(key));
  const row = element('li', '', '');
  row.dataset.type = event.type;
  row.append(
    element('span', 'seq', String(event.seq)),
    element('span', 'type', event.type),
    element('span', 'about', about.map(([, value]) => plainly(value)).join(' ')),
  );
  list.append(row);
  list.scrollTop = list.scrollHeight;
}

/** @param {any} value */
function plainly(value) {
  return typeof value === 'object' ? (value?.message ?? JSON.stringify(value)) : String(value);
}

export function clearEvents() {
  byId('events').replaceChildren();
}
