// @ts-check
/** The stores that workers share, each opened as its page says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPostgresStore } from 'jobwright/postgres';
import { createSqliteStore } from 'jobwright/sqlite';

/** @type {Record<string, (where: string) => Promise<Required<import('jobwright').JobStore> & { close(): Promise<void> }>>} */
const OPEN = {
  sqlite: (path) => createSqliteStore({ path }),
  postgres: (connectionString) => createPostgresStore({ connectionString }),
};

/** How long a server that is being started again is waited for, in milliseconds. */
const PATIENCE = 30_000;

/**
 * @param {string} kind
 * @param {string} where
 */
export async function openStore(kind, where) {
  const open = OPEN[kind];
  if (open === undefined)
    throw new Error(`no store ${JSON.stringify(kind)}: ${Object.keys(OPEN).join(', ')}`);
  for (const end = Date.now() + PATIENCE; ; await sleep(100)) {
    try {
      return await open(where);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
