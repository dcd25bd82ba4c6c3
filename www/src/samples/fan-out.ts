/** Many pages side by side; some fail at first and are tried again. */
import type { AgentContext } from 'jobwright';
import { drawn, rest, type Sample } from './sample';

interface Checked {
  page: string;
  links: number;
  dead: number;
}

const PAGES = [
  'index, about, prices, contact, press, jobs, team, history, terms, privacy, imprint, status',
  'docs/start, docs/plans, docs/agents, docs/tools, docs/stores, docs/limits, docs/replay, docs/leases',
  'blog/one, blog/two, blog/three, blog/four, blog/five, blog/six, blog/seven, blog/eight, blog/nine',
  'shop/kettle, shop/bicycle, shop/piano, shop/lamp, shop/chair, shop/table, shop/clock',
].flatMap((line) => line.split(', '));

export const fanOut: Sample = {
  key: 'fan-out',
  title: 'Fan-out over many pages',
  about: `Checks the links of ${PAGES.length} pages, six at a time. Every ninth fails at first and is tried again.`,
  plan: {
    name: 'fan-out',
    concurrency: 6,
    steps: [
      {
        id: 'pages',
        agent: 'linkChecker',
        forEach: { var: 'pages' },
        retry: { maxAttempts: 3, backoffMs: 400, jitter: 0.5 },
        cost: 1,
      },
      { id: 'report', agent: 'linkReporter', input: { var: 'pages' }, cost: 2 },
      {
        id: 'alarm',
        agent: 'linkAlarm',
        after: ['report'],
        when: { '>': [{ var: 'report.dead' }, 100] },
      },
      { id: 'archive', agent: 'linkArchive', after: ['report'], input: { var: 'report' }, cost: 1 },
    ],
  },
  context: { pages: PAGES },
  permissions: { requireApproval: false, maxSteps: 10 },
  budget: 100,
};

async function linkChecker(page: string, { attempt, item = 0, signal }: AgentContext): Promise<Checked> {
  await rest(400 + drawn(page, 900), signal);
  if (attempt === 1 && item % 9 === 4) throw new Error(`${page} did not answer`);
  return { page, links: 3 + drawn(page, 20), dead: drawn(`${page} dead`, 12) === 0 ? 1 : 0 };
}

async function linkReporter(pages: Checked[], { signal }: AgentContext) {
  await rest(700, signal);
  const sum = (key: 'links' | 'dead') => pages.reduce((total, page) => total + page[key], 0);
  return { pages: pages.length, links: sum('links'), dead: sum('dead') };
}

async function linkAlarm(_: unknown, { signal }: AgentContext): Promise<string> {
  await rest(300, signal);
  return 'Somebody was woken';
}

async function linkArchive(report: object, { signal }: AgentContext): Promise<object> {
  await rest(500, signal);
  return { ...report, archived: true };
}

export const fanOutAgents = { linkChecker, linkReporter, linkAlarm, linkArchive };
