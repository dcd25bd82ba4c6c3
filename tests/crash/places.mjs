// @ts-check
/** Where the jobs are kept, by kind of store: one more kind is one more entry. */
import { join } from 'node:path';
import { startPostgres } from '../servers/postgres.mjs';

/**
 * @typedef {object} Place
 * @property {string} where what a worker opens
 * @property {(mode: 'fast' | 'immediate') => Promise<void>} [restart] of its server
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Kind
 * @property {number} leaseMs
 * @property {(folder: string) => Promise<Place>} begin
 */

/** @type {Record<string, Kind>} */
export const KINDS = {
  sqlite: {
    leaseMs: 1_000,
    begin: async (folder) => ({ where: join(folder, 'jobs.db'), stop: async () => {} }),
  },
  postgres: {
    leaseMs: 800,
    begin: async () => {
      const server = await startPostgres();
      return { where: server.url, restart: (mode) => server.restart(mode), stop: () => server.stop() };
    },
  },
};
