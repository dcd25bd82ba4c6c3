// @ts-check
/** What workloads need beside themselves: each its own data folder on a free port, gone when it is stopped. */

import { startPostgres } from '../../tests/servers/postgres.mjs';
import { startRedis } from './redis.mjs';

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {() => Promise<void>} stop
 */

/** @param {boolean} fsync */
async function postgres(fsync) {
  // A server on its own keeps no process alive, also not while it starts or ends.
  const alive = setInterval(() => {}, 1_000);
  const server = await startPostgres({ fsync, settings: { shared_buffers: '128MB' } });
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      clearInterval(alive);
    },
  };
}

export const servers = {
  /** Its commits wait for the disk. */
  postgres: () => postgres(true),
  /** Where only what grows is looked at. */
  'hasty postgres': () => postgres(false),
  redis: startRedis,
};
