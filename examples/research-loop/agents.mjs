// @ts-check
/** Who does the research. Each agent is a function of its input; what it reads and writes goes through a tool. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentencesOf, termsIn, termsOf } from './text.mjs';

/**
 * @typedef {import('jobwright').AgentContext} AgentContext
 * @typedef {{ source: string, text: string }} Quote
 * @typedef {{ quotes: Quote[] }} Draft
 * @typedef {{ good: boolean, missing: string[] }} Critique
 */

/**
 * Keeps the quotes of the draft before and adds the one that says most about what the critic misses; of several, the one
 * from a source that was quoted already, and the shorter one.
 *
 * @param {{ question: string, before: { draft: Draft | null, critique: Critique | null } }} input
 * @param {AgentContext} context
 * @returns {Promise<Draft>}
 */
async function writer({ question, before }, { callTool, emit }) {
  const quotes = before.draft?.quotes ?? [];
  const wanted = before.critique?.missing ?? termsOf(question);
  const found = /** @type {Quote[]} */ (await callTool('search', { terms: wanted }));
  const worth = (/** @type {Quote} */ { source, text }) =>
    termsIn(text, wanted).length * 1_000 +
    (quotes.some((quote) => quote.source === source) ? 500 : 0) -
    Math.min(text.length, 499);
  const [best = null] = found.toSorted((a, b) => worth(b) - worth(a));
  emit('drafted', { added: best });
  return { quotes: best === null ? quotes : [...quotes, best] };
}

/**
 * Misses each word of the question that no quote has.
 *
 * @param {{ question: string, draft: Draft }} input
 * @param {AgentContext} context
 * @returns {Critique}
 */
function critic({ question, draft }, { emit }) {
  const terms = termsOf(question);
  const present = termsIn(draft.quotes.map(({ text }) => text).join(' '), terms);
  const missing = terms.filter((term) => !present.includes(term));
  const critique = { good: missing.length === 0, missing };
  emit('criticised', critique);
  return critique;
}

/**
 * @param {{ question: string, quotes: Quote[], missing: string[] }} input
 * @param {AgentContext} context
 */
async function publisher({ question, quotes, missing }, { callTool }) {
  const lines = quotes.map(({ source, text }) => `> ${text} *(${source})*`);
  const left = missing.length > 0 ? `\nNothing was found about: ${missing.join(', ')}.\n` : '';
  return callTool('writeAnswer', { text: `# ${question}\n\n${lines.join('\n>\n')}\n${left}` });
}

export const agents = { writer, critic, publisher };

/**
 * @param {{ sources: string, answer: string }} desk the folder that is searched, and the file that is written
 * @returns {Record<string, import('jobwright').Tool['execute']>}
 */
export function createTools({ sources, answer }) {
  const files = readdirSync(sources).filter((name) => name.endsWith('.md'));
  const sentences = files.sort().flatMap((source) => {
    const texts = sentencesOf(readFileSync(join(sources, source), 'utf8'));
    return texts.map((text) => ({ source, text }));
  });
  return {
    search: ({ terms }) => sentences.filter(({ text }) => termsIn(text, terms).length > 0),
    writeAnswer: ({ text }) => {
      writeFileSync(answer, text);
      return answer;
    },
  };
}
