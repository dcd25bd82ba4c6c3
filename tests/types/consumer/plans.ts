import {
  createOrchestrator,
  type Plan,
  planToMermaid,
  type ReadonlyPlan,
  type Retry,
  type Step,
  simulatePlan,
} from 'jobwright';

const retry: Retry = { maxAttempts: 3, backoffMs: 500, factor: 1.5, maxBackoffMs: 10_000 };

const packing = {
  name: 'packing',
  version: 2,
  concurrency: 4,
  steps: [
    {
      id: 'wrap',
      agent: 'wrapper',
      input: { size: { var: 'size' } },
      tools: ['tape'],
      cost: 3,
      timeoutMs: 500,
      retry,
    },
    {
      id: 'weigh',
      agent: 'scales',
      after: [],
      forEach: { var: 'parcels' },
      into: 'weights',
      onError: 'continue',
    },
    { id: 'check', agent: 'checker', after: ['wrap', 'weigh'], repeat: { until: { var: 'check' }, max: 3 } },
  ],
} satisfies Plan;

const steps: Step[] = [
  {
    id: 'pack',
    job: { plan: packing, permissions: { maxSteps: 5 }, budget: 10, context: { size: { var: 'size' } } },
  },
  { id: 'rest', wait: { ms: 60_000 }, breakpoint: true },
  { id: 'paid', wait: { signal: ['paid', 'lost'], timeoutMs: 86_400_000 } },
  { id: 'send', approve: { message: 'Send it?' }, when: { '==': [{ var: 'paid.signal' }, 'paid'] } },
];

export const drawing: string = planToMermaid({ steps }, undefined);

// @ts-expect-error: a wait is for some time or for a signal
export const wrong: Step = { id: 'rest', wait: { seconds: 5 } };

// A plan that nobody may change is a plan.
const fixed = {
  concurrency: 2,
  steps: [
    { id: 'wrap', agent: 'wrapper', after: [], tools: ['tape'], input: { size: { var: 'size' } }, retry },
    { id: 'paid', wait: { signal: ['paid', 'lost'], timeoutMs: 10 }, onError: 'continue' },
    { id: 'pack', job: { plan: { steps: [{ id: 'box', agent: 'packer' }] }, permissions: { maxSteps: 2 } } },
    { id: 'weigh', agent: 'scales', forEach: [1, 2], repeat: { until: { var: 'weigh' }, max: 3 } },
  ],
} as const;
export const taken: ReadonlyPlan = fixed;
export const made: Promise<string> = createOrchestrator().createJob({}, {}, { plan: fixed });
export const drawn = [planToMermaid(fixed), simulatePlan(fixed), planToMermaid({ steps })];
// @ts-expect-error: still no name but those of a plan's fields
createOrchestrator().createJob({}, {}, { plan: { steps: [{ id: 'wrap', agent: 'wrapper', inputs: 1 }] } });
