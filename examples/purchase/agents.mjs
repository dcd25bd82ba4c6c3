// @ts-check
/** Who does what in the shop. The key of a step is the same after a crash, and the shop does nothing twice under it. */

/**
 * @typedef {import('jobwright').AgentContext} AgentContext
 * @typedef {{ order: string, item: string, quantity: number }} Wish
 */

/** @param {import('./shop.mjs').Shop} shop */
export function createAgents(shop) {
  return {
    storekeeper: (/** @type {Wish} */ wish, /** @type {AgentContext} */ { idempotencyKey }) =>
      shop.reserve(idempotencyKey, wish),

    cashier: (
      /** @type {{ order: string, card: string, amount: number }} */ payment,
      /** @type {AgentContext} */ { idempotencyKey },
    ) => {
      shop.charge(idempotencyKey, payment);
      return { charged: payment.amount };
    },

    courier: (/** @type {Wish} */ parcel, /** @type {AgentContext} */ { idempotencyKey }) => {
      shop.ship(idempotencyKey, parcel);
      return { shipped: parcel.quantity };
    },

    refunder: (/** @type {{ order: string }} */ { order }, /** @type {AgentContext} */ { idempotencyKey }) =>
      shop.refund(idempotencyKey, order),

    releaser: (/** @type {{ order: string }} */ { order }, /** @type {AgentContext} */ { idempotencyKey }) =>
      shop.release(idempotencyKey, order),
  };
}
