/** The jobs' money, in a database of its own, so that it is there after a reload and the same in all tabs. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type BudgetManager, createBudgetManager, type JobBudgetManager } from 'jobwright';

interface Books extends DBSchema {
  accounts: { key: string; value: object };
}

type Method = Exclude<keyof JobBudgetManager, 'getBudget'>;
type Answer = { success: boolean; error?: string };

/** The bundled manager says this of a job that was given no budget: here such a job may spend what it likes. */
const NO_ACCOUNT = 'No budget found';

export type Accounts = Omit<Required<BudgetManager>, 'setBudget'> &
  Pick<JobBudgetManager, 'getBudget' | 'setBudget'>;

export async function openAccounts(name: string): Promise<Accounts> {
  const database = await openDB<Books>(name, 1, {
    upgrade: (opened) => void opened.createObjectStore('accounts'),
  });
  return freeWithoutAccount((method, args) => inOneTransaction(database, method, args));
}

/** Where there is no IndexedDB: for as long as the tab is open. */
export function accountsInMemory(): Accounts {
  const manager = createBudgetManager() as unknown as Record<string, (...args: unknown[]) => unknown>;
  return freeWithoutAccount(async (method, args) => manager[method]?.(...args));
}

/**
 * Each call is one transaction, with a manager of its own that knows nothing but what it reads there: tabs take turns,
 * and a tab that dies in the middle has written nothing.
 */
async function inOneTransaction(database: IDBPDatabase<Books>, method: string, args: unknown[]) {
  const transaction = database.transaction('accounts', 'readwrite');
  const { store } = transaction;
  const manager = createBudgetManager({
    store: {
      get: (key: string) => store.get(key),
      set: (key: string, value: object) => store.put(value, key),
    },
  }) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  try {
    const answer = await manager[method]?.(...args);
    await transaction.done;
    return answer;
  } catch (error) {
    // One that failed has ended itself.
    transaction.done.catch(() => {});
    throw error;
  }
}

function freeWithoutAccount(call: (method: string, args: unknown[]) => Promise<unknown>): Accounts {
  const asked =
    (method: Method) =>
    async (...args: unknown[]): Promise<Answer> => {
      const answer = (await call(method, args)) as Answer;
      return answer.error === NO_ACCOUNT ? { success: true } : answer;
    };
  const told =
    (method: Method) =>
    (...args: unknown[]) =>
      call(method, args);
  return {
    canSpend: asked('canSpend'),
    reserve: asked('reserve'),
    allocate: (...args) => call('allocate', args) as Promise<Answer>,
    recordSpend: told('recordSpend'),
    settle: told('settle'),
    release: told('release'),
    setParent: told('setParent'),
    reclaim: told('reclaim'),
    setBudget: async (...args) => (await call('setBudget', args)) as { success: true },
    getBudget: async (...args) =>
      (await call('getBudget', args)) as Awaited<ReturnType<JobBudgetManager['getBudget']>>,
  };
}
