// @ts-check
/** Draft, critique, and again, until the critic is content or three drafts were written; then a person, then the press. */

const DRAFTS = 3;

/** One draft and what the critic says to it. @type {import('jobwright').Plan} */
const round = {
  name: 'round',
  steps: [
    {
      id: 'draft',
      agent: 'writer',
      input: { question: { var: 'question' }, before: { var: 'before' } },
      tools: ['search'],
      cost: 3,
      timeoutMs: 10_000,
    },
    {
      id: 'critique',
      agent: 'critic',
      input: { question: { var: 'question' }, draft: { var: 'draft' } },
      cost: 1,
    },
  ],
};

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'research-loop',
  steps: [
    {
      id: 'research',
      job: {
        plan: round,
        // What a round ends with is the output of this step, so that the next one knows what was wrong.
        context: {
          question: { var: 'question' },
          number: { '+': [{ var: ['research.number', 0] }, 1] },
          before: { draft: { var: 'research.draft' }, critique: { var: 'research.critique' } },
        },
      },
      // A repeat that reaches its max fails; here the last draft is good enough to be shown to a person.
      repeat: {
        until: { or: [{ var: 'research.critique.good' }, { '>=': [{ var: 'research.number' }, DRAFTS] }] },
        max: DRAFTS,
      },
    },
    { id: 'approve', approve: { message: 'Publish the answer?' } },
    {
      id: 'publish',
      agent: 'publisher',
      input: {
        question: { var: 'question' },
        quotes: { var: 'research.draft.quotes' },
        missing: { var: 'research.critique.missing' },
      },
      tools: ['writeAnswer'],
      retry: { maxAttempts: 3, backoffMs: 200 },
    },
  ],
};
