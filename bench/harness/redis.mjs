// @ts-check
/** A Redis server: its own data folder, a free port of the loopback device, ended by its process id. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { attempt, Failure, root } from '../../scripts/process.mjs';

const advice = 'Redis is needed for this contender: install it, or name its program in REDIS_SERVER';
const program = process.env.REDIS_SERVER ?? '/usr/bin/redis-server';

/** As root on Debian it is installed where there is none. */
async function findRedis() {
  if (existsSync(program)) return program;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Failure(advice);
  console.error('Installing Redis with apt-get ...');
  // In this runlevel Debian's package starts no server of its own.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'redis-server']]) {
    const { code, output } = await attempt('apt-get', args, { env });
    if (code !== 0) throw new Failure(`${output}\n${advice}; "apt-get ${args.join(' ')}" failed`);
  }
  return program;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** Its log is synced each second, as its documentation recommends. */
export async function startRedis() {
  const command = await findRedis();
  const port = await freePort();
  const folder = mkdtempSync(join(root, '.cache/bench-redis-'));
  const settings = {
    bind: '127.0.0.1',
    port,
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(command, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  // Whoever ends this process in its midst ends the server too.
  const end = () => server.kill('SIGKILL');
  process.once('exit', end);
  await new Promise((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000);
      if (said.includes('Ready to accept connections')) resolve(undefined);
    });
    server.once('error', reject);
    gone.then((code) => reject(new Failure(`Redis ended with exit code ${code}:\n${said}`)));
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      server.kill('SIGTERM');
      await gone;
      process.off('exit', end);
      rmSync(folder, { recursive: true });
    },
  };
}
