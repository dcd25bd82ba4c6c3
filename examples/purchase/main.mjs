// @ts-check
/** The purchase as a program. What it does is in plan.mjs, agents.mjs and shop.mjs; this is its front. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { agrees, atMost, command, EXIT, Mistake, wholeNumber } from '../command.mjs';
import { buy } from './buy.mjs';
import { CARDS, openShop } from './shop.mjs';

const HELP = `Buys something: reserves it, charges a card, ships it. What costs 500 and more, a person has to
approve. Where that comes to nothing, the money is given back and the goods too.

  node examples/purchase/main.mjs ITEM [options]

  ITEM            kettle, bicycle, or piano, which is too heavy for the courier
  --quantity N    how many (default: 1)
  --card NUMBER   four digits (default: 4242); the bank declines ${CARDS.declined}, and for ${CARDS.forgetful} takes the money but
                  does not answer the first time
  --order NAME    an order is made once: the same name goes on with it (default: order-1)
  --data FOLDER   where the shop's database and the jobs are kept (default: .cache/purchase)
  --yes           approve without asking
  --kill N        kill this process right after its Nth write, of the shop or of the job; started again
                  without it, the order goes on
  --help          show this

Exit codes: 0 bought; 1 not bought, and all is undone; 2 it could not begin.
`;

const OPTIONS = /** @type {const} */ ({
  quantity: { type: 'string' },
  card: { type: 'string' },
  order: { type: 'string' },
  data: { type: 'string' },
  yes: { type: 'boolean' },
  kill: { type: 'string' },
});

/** A process that is killed has no chance to tidy up, or to tell anybody of what it wrote. @param {number | undefined} at */
function killAfter(at) {
  let writes = 0;
  return () => {
    writes += 1;
    if (writes === at) process.kill(process.pid, 'SIGKILL');
  };
}

/** @param {import('./shop.mjs').Entry} entry */
const words = ({ what, item, quantity, card, amount }) =>
  `  ${what.padEnd(9)}${item === null ? `€ ${amount}, card ${card}` : `${quantity} × ${item}`}`;

/** @param {string} data @param {() => void} written */
function open(data, written) {
  try {
    mkdirSync(data, { recursive: true });
    return openShop(join(data, 'shop.db'), written);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Mistake(`--data must be a folder for databases; found ${JSON.stringify(data)}: ${message}.`);
  }
}

await command(HELP, OPTIONS, async (values, rest) => {
  atMost(rest, 1);
  const { card = '4242', order = 'order-1' } = values;
  const quantity = wholeNumber('--quantity', values.quantity, { least: 1, most: 1_000 }) ?? 1;
  const written = killAfter(wholeNumber('--kill', values.kill, { least: 1, most: 1_000_000 }));
  if (!/^\d{4}$/.test(card)) throw new Mistake(`--card must be four digits; found ${JSON.stringify(card)}.`);
  if (order === '') throw new Mistake('--order must be a name; found "".');
  const data = resolve(values.data ?? '.cache/purchase');
  const shop = open(data, written);
  try {
    const names = shop.catalogue().map(({ name }) => name);
    const [item = ''] = rest;
    if (!names.includes(item))
      throw new Mistake(`ITEM must be one of ${names.join(', ')}; found ${JSON.stringify(item)}.`);
    const approve = async (/** @type {string} */ message) => values.yes ?? agrees(message);
    const desk = { jobs: join(data, 'jobs.db'), shop, approve, written };
    const { context, run, status } = await buy(desk, { order, item, quantity, card });

    console.log(`${order}: ${context.quantity} × ${context.item}, card ${context.card}`);
    for (const entry of shop.ledger(order)) console.log(words(entry));
    const isBought = status === 'completed' && Boolean(context.ship);
    const why = Object.entries(run?.steps ?? {}).find(([, { error }]) => error !== undefined);
    console.log(isBought ? 'Bought.' : `Not bought: ${why?.[0]}: ${why?.[1].error?.message}`);
    return isBought ? EXIT.ok : EXIT.otherwise;
  } finally {
    shop.close();
  }
});
