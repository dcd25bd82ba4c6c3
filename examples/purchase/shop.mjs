// @ts-check
/**
 * The shop, its bank and its courier: the world outside, in a database of its own. It does nothing twice under the same
 * key, as payment services do, and has a ledger to show for it.
 */
import Database from 'better-sqlite3';
import { NonRetryableError } from 'jobwright';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (name TEXT PRIMARY KEY, price INTEGER, kilos INTEGER, stock INTEGER);
  INSERT OR IGNORE INTO items VALUES ('kettle', 45, 1, 4), ('bicycle', 900, 14, 2), ('piano', 12000, 480, 1);
  CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, customer TEXT NOT NULL, what TEXT NOT NULL,
    item TEXT, quantity INTEGER, card TEXT, amount INTEGER
  );
`;

/**
 * @typedef {{ name: string, price: number, kilos: number, stock: number }} Item
 * @typedef {'reserve' | 'charge' | 'ship' | 'refund' | 'release'} Deed
 * @typedef {{ what: Deed, item?: string, quantity?: number, card?: string, amount?: number }} Entry
 */

const MOST_KILOS = 100;

/** The bank says no to these, and to those it says yes but the first answer gets lost. */
export const CARDS = { declined: '0000', forgetful: '9999' };

/**
 * @param {string} path
 * @param {() => void} [written] is called after each write
 */
export function openShop(path, written = () => {}) {
  const database = new Database(path);
  database.exec(SCHEMA);
  const itemOf = database.prepare('SELECT * FROM items WHERE name = ?');
  const stock = database.prepare('UPDATE items SET stock = stock + ? WHERE name = ?');
  const known = database.prepare('SELECT 1 FROM ledger WHERE key = ?');
  const enter = database.prepare(`INSERT INTO ledger (key, customer, what, item, quantity, card, amount)
    VALUES (:key, :order, :what, :item, :quantity, :card, :amount)`);
  const entries = database.prepare(
    'SELECT what, item, quantity, card, amount FROM ledger WHERE customer = ? ORDER BY number',
  );
  const items = database.prepare('SELECT * FROM items ORDER BY price');

  /**
   * @param {string} key
   * @param {string} order
   * @param {() => Entry | null} act what is to be entered; null where there is nothing to do
   * @returns {boolean} whether it was the first time
   */
  function once(key, order, act) {
    const isFirst = database
      .transaction(() => {
        if (known.get(key) !== undefined) return false;
        const entry = act();
        if (entry !== null)
          enter.run({ key, order, item: null, quantity: null, card: null, amount: null, ...entry });
        return true;
      })
      .immediate();
    written();
    return isFirst;
  }

  /** @param {string} order @returns {Entry[]} */
  const ledger = (order) => /** @type {Entry[]} */ (entries.all(order));
  /** @param {string} order @param {Deed} what */
  const entryOf = (order, what) => ledger(order).find((entry) => entry.what === what);
  /** @returns {Item[]} */
  const catalogue = () => /** @type {Item[]} */ (items.all());

  return {
    ledger,
    catalogue,

    /** @param {string} key @param {{ order: string, item: string, quantity: number }} wish */
    reserve(key, { order, item, quantity }) {
      const { price } = /** @type {Item} */ (itemOf.get(item));
      once(key, order, () => {
        const { stock: left } = /** @type {Item} */ (itemOf.get(item));
        if (left < quantity) throw new NonRetryableError(`of ${item} there are ${left} left`);
        stock.run(-quantity, item);
        return { what: 'reserve', item, quantity };
      });
      return { total: price * quantity };
    },

    /** @param {string} key @param {{ order: string, card: string, amount: number }} payment */
    charge(key, { order, card, amount }) {
      if (card === CARDS.declined) throw new NonRetryableError(`the bank declines card ${card}`);
      const isFirst = once(key, order, () => ({ what: 'charge', card, amount }));
      if (isFirst && card === CARDS.forgetful) throw new Error('the bank did not answer');
    },

    /** @param {string} key @param {{ order: string, item: string, quantity: number }} parcel */
    ship(key, { order, item, quantity }) {
      const kilos = /** @type {Item} */ (itemOf.get(item)).kilos * quantity;
      if (kilos > MOST_KILOS)
        throw new NonRetryableError(`the courier takes ${MOST_KILOS} kg at most, and this is ${kilos} kg`);
      once(key, order, () => ({ what: 'ship', item, quantity }));
    },

    /** @param {string} key @param {string} order */
    refund(key, order) {
      once(key, order, () => {
        const { card, amount } = entryOf(order, 'charge') ?? {};
        return amount === undefined ? null : { what: 'refund', card, amount };
      });
    },

    /** @param {string} key @param {string} order */
    release(key, order) {
      once(key, order, () => {
        const { item, quantity } = entryOf(order, 'reserve') ?? {};
        if (quantity === undefined) return null;
        stock.run(quantity, item);
        return { what: 'release', item, quantity };
      });
    },

    close: () => void database.close(),
  };
}

/** @typedef {ReturnType<typeof openShop>} Shop */
