/** What is dear is bought only when a person agrees to the very call of the tool that pays. */
import type { AgentContext, Tool } from 'jobwright';
import { rest, type Sample } from './sample';

interface Offer {
  shop: string;
  item: string;
  price: number;
}

interface Payment {
  to: string;
  amount: number;
  for: string;
}

const OFFERS: Offer[] = [
  { shop: 'Second Wheel', item: 'bicycle', price: 420 },
  { shop: 'Spoke & Chain', item: 'bicycle', price: 390 },
  { shop: 'Corner Shop', item: 'kettle', price: 35 },
];

/** Below this nobody is asked. */
const DEAR = 100;

export const purchase: Sample = {
  key: 'purchase',
  title: 'Purchase with approval',
  about:
    'Looks for offers, takes the cheapest and wants to pay: you are asked, with the tool and its arguments. Rejecting undoes the order.',
  plan: {
    name: 'purchase',
    steps: [
      { id: 'offers', agent: 'shopper', input: { item: { var: 'item' } }, tools: ['askShops'], cost: 4 },
      { id: 'order', agent: 'orderer', input: { offers: { var: 'offers' } }, cost: 2 },
      {
        id: 'pay',
        agent: 'cashier',
        input: { order: { var: 'order' } },
        tools: ['transfer'],
        onError: 'continue',
        cost: 5,
      },
      { id: 'ship', agent: 'courier', input: { order: { var: 'order' } }, when: { var: 'pay' }, cost: 3 },
      {
        id: 'undo',
        agent: 'undoer',
        input: { order: { var: 'order' } },
        when: { '!': { var: 'pay' } },
        cost: 1,
      },
    ],
  },
  context: { item: 'bicycle' },
  permissions: { allowTools: true, requireApproval: false, maxSteps: 10 },
  budget: 40,
};

async function shopper({ item }: { item: string }, { callTool, signal }: AgentContext): Promise<Offer[]> {
  await rest(800, signal);
  return (await callTool('askShops', { item })) as Offer[];
}

async function orderer({ offers }: { offers: Offer[] }, { signal }: AgentContext): Promise<Offer> {
  await rest(600, signal);
  const [best] = offers.toSorted((a, b) => a.price - b.price);
  if (best === undefined) throw new Error('nobody has an offer');
  return best;
}

async function cashier({ order }: { order: Offer }, { callTool }: AgentContext) {
  const payment: Payment = { to: order.shop, amount: order.price, for: order.item };
  return callTool('transfer', payment);
}

async function courier({ order }: { order: Offer }, { signal }: AgentContext): Promise<string> {
  await rest(900, signal);
  return `${order.item} from ${order.shop} is on its way`;
}

async function undoer({ order }: { order: Offer }, { signal }: AgentContext): Promise<string> {
  await rest(400, signal);
  return `the order at ${order.shop} is undone`;
}

export const purchaseAgents = { shopper, orderer, cashier, courier, undoer };

export const purchaseTools: Record<string, Tool> = {
  askShops: {
    description: 'Asks the shops for their offers',
    execute: ({ item }: { item: string }) => OFFERS.filter((offer) => offer.item === item),
  },
  transfer: {
    description: 'Moves money',
    needsApproval: ({ amount }: Payment) => amount >= DEAR,
    execute: async ({ to, amount }: Payment, { signal, idempotencyKey }) => {
      await rest(700, signal);
      return { receipt: `${to}, ${amount} euros`, key: idempotencyKey };
    },
  },
};
