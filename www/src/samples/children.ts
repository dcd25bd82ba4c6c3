/** A parent with 500 child jobs, in waves; it is monitored, so that it tells how far they are. */
import type { AgentContext } from 'jobwright';
import { drawn, rest, type Sample } from './sample';

const CHILDREN = 500;
/** So many at a time: the page stays quick, and the waves can be seen. */
const WAVE = 20;

export const children: Sample = {
  key: 'children',
  title: `Parent with ${CHILDREN} children`,
  about: `Counts ${CHILDREN} parcels, each in a job of its own, ${WAVE} at a time. Try to pause, to stop, or to close the tab.`,
  type: 'parent',
  config: { source_type: 'parcels' },
  plan: {
    name: 'stocktaking',
    concurrency: WAVE,
    steps: [
      { id: 'list', agent: 'storekeeper', input: { var: 'parcels' } },
      {
        id: 'parcels',
        forEach: { var: 'list' },
        job: {
          plan: {
            name: 'parcel',
            steps: [
              { id: 'weigh', agent: 'weigher', input: { var: 'item' }, cost: 1 },
              { id: 'label', agent: 'labeller', input: { var: 'weigh' }, cost: 1 },
            ],
          },
        },
        onError: 'continue',
      },
      { id: 'total', agent: 'totaller', input: { var: 'parcels' } },
    ],
  },
  context: { parcels: CHILDREN },
  permissions: { requireApproval: false, maxSteps: 10 },
  budget: 2 * CHILDREN,
};

async function storekeeper(count: number, { signal }: AgentContext): Promise<string[]> {
  await rest(500, signal);
  return Array.from({ length: count }, (_, i) => `parcel ${i + 1}`);
}

async function weigher(parcel: string, { signal }: AgentContext) {
  await rest(250 + drawn(parcel, 500), signal);
  return { parcel, grams: 100 + drawn(`${parcel} weight`, 4_900) };
}

async function labeller(weighed: { parcel: string; grams: number }, { signal }: AgentContext) {
  await rest(120, signal);
  return { ...weighed, label: weighed.grams > 2_000 ? 'heavy' : 'light' };
}

async function totaller(parcels: ({ weigh: { grams: number } } | null)[], { signal }: AgentContext) {
  await rest(300, signal);
  const grams = parcels.reduce((sum, parcel) => sum + (parcel?.weigh.grams ?? 0), 0);
  return { parcels: parcels.length, grams };
}

export const childrenAgents = { storekeeper, weigher, labeller, totaller };
