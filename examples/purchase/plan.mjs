// @ts-check
/** Reserve, charge, ship; a person is asked about what is dear; where it comes to nothing, all is undone. */

const DEAR = 500;

/** Something is reserved, and nobody has to be asked about it or somebody said yes: from here on money may move. */
const agreed = {
  and: [{ var: 'reserve' }, { or: [{ '<': [{ var: 'reserve.total' }, DEAR] }, { var: 'approve' }] }],
};
/** A step that failed or was skipped has left nothing in the context. */
const notShipped = { '!': { var: 'ship' } };

const again = { maxAttempts: 3, backoffMs: 50 };

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'purchase',
  steps: [
    {
      id: 'reserve',
      agent: 'storekeeper',
      input: { order: { var: 'order' }, item: { var: 'item' }, quantity: { var: 'quantity' } },
      retry: again,
      onError: 'continue',
    },
    {
      id: 'approve',
      approve: { message: 'That is dear. Buy it?' },
      when: { '>=': [{ var: 'reserve.total' }, DEAR] },
      onError: 'continue',
    },
    {
      id: 'charge',
      agent: 'cashier',
      input: { order: { var: 'order' }, card: { var: 'card' }, amount: { var: 'reserve.total' } },
      when: agreed,
      retry: again,
      onError: 'continue',
    },
    {
      id: 'ship',
      agent: 'courier',
      input: { order: { var: 'order' }, item: { var: 'item' }, quantity: { var: 'quantity' } },
      when: { var: 'charge' },
      retry: again,
      onError: 'continue',
    },
    // What may have happened is undone, not only what is known to have: the answer to a charge can get lost.
    {
      id: 'refund',
      agent: 'refunder',
      input: { order: { var: 'order' } },
      when: { and: [agreed, notShipped] },
      retry: again,
    },
    {
      id: 'release',
      agent: 'releaser',
      input: { order: { var: 'order' } },
      when: notShipped,
      retry: again,
    },
  ],
};
