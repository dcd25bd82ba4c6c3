/** Draft, critique, and again with what the critic misses, until nothing is missing. */
import type { AgentContext, Tool } from 'jobwright';
import { rest, type Sample } from './sample';

interface Critique {
  good: boolean;
  missing: string[];
}

interface Note {
  about: string;
  text: string;
}

const NOTES: Note[] = [
  { about: 'source', text: 'Tides follow the Moon first and the Sun second; both pull at the sea.' },
  {
    about: 'spring',
    text: 'Spring tides come when Sun and Moon stand in one line, at new and at full moon.',
  },
  { about: 'neap', text: 'Neap tides come a week later, when they stand at a right angle.' },
  { about: 'period', text: 'Most coasts see two high tides in 24 hours and 50 minutes.' },
  { about: 'range', text: 'The Bay of Fundy has a range of up to 16 metres, the Baltic hardly any.' },
];

export const research: Sample = {
  key: 'research',
  title: 'Research loop',
  about:
    'A writer drafts, a critic says what is missing, and so on until it is good enough. Completes by itself.',
  plan: {
    name: 'research loop',
    steps: [
      { id: 'outline', agent: 'outliner', input: { question: { var: 'question' } }, cost: 1 },
      {
        id: 'research',
        job: {
          plan: {
            name: 'round',
            steps: [
              {
                id: 'draft',
                agent: 'writer',
                input: { parts: { var: 'parts' }, before: { var: 'before' } },
                tools: ['search'],
                cost: 3,
                timeoutMs: 10_000,
              },
              {
                id: 'critique',
                agent: 'critic',
                input: { parts: { var: 'parts' }, draft: { var: 'draft' } },
                cost: 1,
              },
            ],
          },
          context: {
            parts: { var: 'outline' },
            before: { draft: { var: 'research.draft' }, critique: { var: 'research.critique' } },
          },
        },
        repeat: { until: { var: 'research.critique.good' }, max: 8 },
      },
      {
        id: 'publish',
        agent: 'publisher',
        input: { question: { var: 'question' }, notes: { var: 'research.draft' } },
        cost: 2,
      },
    ],
  },
  context: { question: 'How do tides work?' },
  permissions: { allowTools: true, requireApproval: false, maxSteps: 20 },
  budget: 60,
};

async function outliner(_: { question: string }, { signal }: AgentContext): Promise<string[]> {
  await rest(600, signal);
  return NOTES.map(({ about }) => about);
}

async function writer(
  { parts, before }: { parts: string[]; before: { draft: Note[] | null; critique: Critique | null } },
  { callTool, signal, emit }: AgentContext,
): Promise<Note[]> {
  const draft = before.draft ?? [];
  const wanted = before.critique?.missing ?? parts;
  await rest(900, signal);
  const found = (await callTool('search', { about: wanted[0] })) as Note[];
  emit('drafted', { added: found.map(({ about }) => about) });
  return [...draft, ...found];
}

async function critic(
  { parts, draft }: { parts: string[]; draft: Note[] },
  { signal, emit }: AgentContext,
): Promise<Critique> {
  await rest(500, signal);
  const missing = parts.filter((part) => !draft.some(({ about }) => about === part));
  const critique = { good: missing.length === 0, missing };
  emit('criticised', critique);
  return critique;
}

async function publisher(
  { question, notes }: { question: string; notes: Note[] },
  { signal }: AgentContext,
): Promise<string> {
  await rest(700, signal);
  return `${question} ${notes.map(({ text }) => text).join(' ')}`;
}

export const researchAgents = { outliner, writer, critic, publisher };

export const researchTools: Record<string, Tool> = {
  search: {
    description: 'Looks something up in the notes',
    execute: ({ about }: { about: string }) => NOTES.filter((note) => note.about === about),
  },
};
