// @ts-check
/** Plans that are refused, by the schema and by the engine, and why. */

/** @param {Record<string, unknown>} more */
const withStep = (more) => ({ steps: [{ id: 'a', ...more }] });
/** @param {Record<string, unknown>} more */
const withAgent = (more) => withStep({ agent: 'x', ...more });

/** @type {[why: string, plan: unknown][]} */
export const badPlans = [
  ['no object', null],
  ['no object', []],
  ['no object', 'steps'],
  ['no steps', {}],
  ['steps that are no list', { steps: { id: 'a', agent: 'x' } }],
  ['a step that is no object', { steps: ['a'] }],
  ['an unknown key of the plan', { nmae: 'x', steps: [] }],
  ['an unknown key of a step', withAgent({ agnet: 'x' })],
  ['an unknown key of a retry', withAgent({ retry: { maxAttempts: 2, times: 3 } })],
  ['an unknown key of a repeat', withAgent({ repeat: { until: true, max: 2, min: 1 } })],
  ['an unknown key of a wait', withStep({ wait: { ms: 1, seconds: 1 } })],
  ['an unknown key of an approval', withStep({ approve: { text: 'ok?' } })],
  ['an unknown key of a child job', withStep({ job: { plan: { steps: [] }, input: 1 } })],
  ['an unknown key of permissions', withStep({ job: { plan: { steps: [] }, permissions: { maxStep: 1 } } })],
  ['an unknown key of a step of a child plan', withStep({ job: { plan: withAgent({ cots: 1 }) } })],
  ['a key of JavaScript objects', JSON.parse('{ "steps": [{ "id": "a", "agent": "x", "__proto__": {} }] }')],
  ['nothing to do', withStep({})],
  ['two kinds in one step', withAgent({ approve: {} })],
  ['two kinds in one step', withStep({ wait: { ms: 1 }, job: { plan: { steps: [] } } })],
  ['both a timer and a signal', withStep({ wait: { ms: 1, signal: 'go' } })],
  ['neither a timer nor a signal', withStep({ wait: {} })],
  ["an agent's key where nobody works", withStep({ approve: {}, tools: ['search'] })],
  ["an agent's key where nobody works", withStep({ wait: { ms: 1 }, retry: { maxAttempts: 2 } })],
  ["an agent's key where nobody works", withStep({ approve: {}, repeat: { until: true, max: 2 } })],
  ["an agent's key where nobody works", withStep({ wait: { ms: 1 }, forEach: [1] })],
  ["an agent's key where a job works", withStep({ job: { plan: { steps: [] } }, input: 1 })],
  ["an agent's key where a job works", withStep({ job: { plan: { steps: [] } }, retry: { maxAttempts: 2 } })],
  ['a list that is done again', withAgent({ forEach: [1], repeat: { until: true, max: 2 } })],
  ['a jitter of more than all', withAgent({ retry: { maxAttempts: 2, jitter: 1.5 } })],
  ['a plan within that is wrong', withStep({ job: { plan: { steps: [{ id: 'b' }] } } })],
  ['no plan within', withStep({ job: {} })],
  ['no id', { steps: [{ agent: 'x' }] }],
  ['an empty id', { steps: [{ id: '', agent: 'x' }] }],
  ['an id that is no string', { steps: [{ id: 1, agent: 'x' }] }],
  ['an id that is too long', { steps: [{ id: 'a'.repeat(10_001), agent: 'x' }] }],
  ...['__proto__', 'constructor', 'prototype'].flatMap(
    (name) =>
      /** @type {[string, unknown][]} */ ([
        ['a reserved name as an id', { steps: [{ id: name, agent: 'x' }] }],
        ['a reserved name as an agent', withStep({ agent: name })],
        ['a reserved name as a context key', withAgent({ into: name })],
      ]),
  ),
  ['an empty agent', withStep({ agent: '' })],
  ['a version of another kind', { version: true, steps: [] }],
  ['a name that is no string', { name: 1, steps: [] }],
  ...[0, -1, 1.5, '2', null].flatMap(
    (number) =>
      /** @type {[string, unknown][]} */ ([
        ['a bad concurrency', { concurrency: number, steps: [] }],
        ['a bad number of attempts', withAgent({ retry: { maxAttempts: number } })],
        ['a bad number of rounds', withAgent({ repeat: { until: true, max: number } })],
      ]),
  ),
  ...[-1, '1', null].flatMap(
    (number) =>
      /** @type {[string, unknown][]} */ ([
        ['a bad cost', withAgent({ cost: number })],
        ['a bad timeout', withAgent({ timeoutMs: number })],
        ['a bad backoff', withAgent({ retry: { maxAttempts: 2, backoffMs: number } })],
        ['a bad longest backoff', withAgent({ retry: { maxAttempts: 2, maxBackoffMs: number } })],
        ['a bad wait', withStep({ wait: { ms: number } })],
        ['a bad wait for a signal', withStep({ wait: { signal: 'go', timeoutMs: number } })],
        ['a bad budget', withStep({ job: { plan: { steps: [] }, budget: number } })],
        ['a bad step limit', withStep({ job: { plan: { steps: [] }, permissions: { maxSteps: number } } })],
      ]),
  ),
  ['a timeout of nothing', withAgent({ timeoutMs: 0 })],
  ['a factor below 1', withAgent({ retry: { maxAttempts: 2, factor: 0.5 } })],
  ['a retry without attempts', withAgent({ retry: { backoffMs: 5 } })],
  ['a repeat without an end', withAgent({ repeat: { until: true } })],
  ['a repeat without a rule', withAgent({ repeat: { max: 2 } })],
  ['a child job without a plan', withStep({ job: {} })],
  [
    'after one that is no list',
    {
      steps: [
        { id: 'a', agent: 'x' },
        { id: 'b', agent: 'x', after: 'a' },
      ],
    },
  ],
  [
    'after the same step twice',
    {
      steps: [
        { id: 'a', agent: 'x' },
        { id: 'b', agent: 'x', after: ['a', 'a'] },
      ],
    },
  ],
  ['a flag that is none', withAgent({ approval: 'yes' })],
  ['a flag that is none', withAgent({ breakpoint: 1 })],
  ['another answer to an error', withAgent({ onError: 'retry' })],
  ['tools that are no list', withAgent({ tools: 'search' })],
  ['a signal that is no name', withStep({ wait: { signal: 5 } })],
  ['a question that is no string', withStep({ approve: { message: 5 } })],
];
