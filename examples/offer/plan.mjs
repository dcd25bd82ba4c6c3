// @ts-check
/** Sends an offer, waits a week for the answer, reminds, waits another week; then confirms, or lets it lapse. */

const DAY = 24 * 60 * 60 * 1_000;

/** What the customer says to the offer ends up in `answer`, whichever week it comes in. */
const answers = ['accepted', 'declined'];
const noAnswer = { '!': { var: 'answer' } };
const mail = (/** @type {string} */ letter) => ({ letter, to: { var: 'customer' } });

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'offer',
  steps: [
    { id: 'send', agent: 'mailer', input: mail('offer') },
    {
      id: 'first-week',
      wait: { signal: answers, timeoutMs: 7 * DAY },
      onError: 'continue',
      into: 'answer',
    },
    { id: 'remind', agent: 'mailer', input: mail('reminder'), when: noAnswer },
    {
      id: 'second-week',
      wait: { signal: answers, timeoutMs: 7 * DAY },
      when: noAnswer,
      onError: 'continue',
      into: 'answer',
    },
    {
      id: 'close',
      agent: 'mailer',
      input: {
        letter: {
          if: [
            noAnswer,
            'lapsed',
            { '==': [{ var: 'answer.signal' }, 'accepted'] },
            'confirmation',
            'thanks anyway',
          ],
        },
        to: { var: 'customer' },
      },
    },
  ],
};
