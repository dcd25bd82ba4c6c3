/** For plans of one's own: agents that do one simple thing with whatever they are given. */
import type { AgentContext } from 'jobwright';
import { rest, type Sample } from './sample';

export const own: Sample = {
  key: 'own',
  title: 'A plan of your own',
  about: 'Three agents to play with: echo gives back its input, sleeper sleeps for a while, breaker fails.',
  plan: {
    name: 'my plan',
    steps: [
      { id: 'first', agent: 'echo', input: { hello: { var: 'name' } } },
      { id: 'pause', agent: 'sleeper', input: { ms: 1_500 } },
      { id: 'question', approve: { message: 'Shall it go on?' } },
      { id: 'answer', wait: { signal: ['yes', 'no'], timeoutMs: 600_000 } },
      { id: 'last', agent: 'echo', input: { var: 'answer' } },
    ],
  },
  context: { name: 'world' },
  permissions: { requireApproval: false, maxSteps: 10 },
};

async function echo(input: unknown, { signal }: AgentContext): Promise<unknown> {
  await rest(200, signal);
  return input;
}

async function sleeper(input: { ms?: unknown } | null, { signal }: AgentContext): Promise<string> {
  const asked = Number(input?.ms ?? 1_000);
  const ms = Math.min(Number.isFinite(asked) ? Math.max(0, asked) : 1_000, 600_000);
  await rest(ms, signal);
  return `slept for ${ms} ms`;
}

async function breaker(input: unknown, { signal }: AgentContext): Promise<never> {
  await rest(200, signal);
  throw new Error(typeof input === 'string' ? input : 'it was asked to fail');
}

export const ownAgents = { echo, sleeper, breaker };
