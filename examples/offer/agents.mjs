// @ts-check
/** The mailer puts letters into a folder, each under its step's key: a letter that is sent again is the same letter. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXTS = {
  offer: 'We would paint your house for 4000. Will you accept?',
  reminder: 'Our offer still stands, for one more week.',
  confirmation: 'Thank you. The painters come next month.',
  'thanks anyway': 'Perhaps another time.',
  lapsed: 'Our offer has lapsed.',
};

/** @typedef {{ letter: keyof typeof TEXTS, to: string }} Order */

/**
 * @param {string} outbox
 * @param {import('jobwright').Clock} clock
 */
export function createAgents(outbox, clock) {
  return {
    mailer: (
      /** @type {Order} */ { letter, to },
      /** @type {import('jobwright').AgentContext} */ { idempotencyKey },
    ) => {
      mkdirSync(outbox, { recursive: true });
      const file = join(outbox, `${encodeURIComponent(idempotencyKey)}.txt`);
      const date = new Date(clock.now()).toISOString().slice(0, 10);
      if (!existsSync(file)) writeFileSync(file, `${date}\n\nDear ${to},\n\n${TEXTS[letter]}\n`);
      return letter;
    },
  };
}
