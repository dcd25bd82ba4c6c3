// @ts-check
/** A PostgreSQL server for tests: its own data folder, a free port of the loopback device, and gone when they end. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt, Failure, run } from '../../scripts/process.mjs';

const versions = '/usr/lib/postgresql';
const advice =
  'PostgreSQL is needed for these tests: install it, or name the folder of its programs in POSTGRES_BIN';
const isRoot = process.getuid?.() === 0;
const password = 'a secret @ / : word';

/** How the server is told to stop: `fast` ends what is running in order, `immediate` is a crash. */
const signals = /** @type {const} */ ({ fast: 'SIGINT', immediate: 'SIGQUIT' });

/** Reads a pipe that this process holds; when that ends, however it does, so does the server, and its folder. */
const guardian = `
trap '' INT TERM HUP
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
rm -rf "$1"
`;

function installed() {
  if (process.env.POSTGRES_BIN) return process.env.POSTGRES_BIN;
  if (!existsSync(versions)) return undefined;
  const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a));
  return newest
    .map((version) => join(versions, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

async function install() {
  console.log('Installing PostgreSQL with apt-get ...');
  // Debian's package makes and starts a server of its own unless it is told not to.
  mkdirSync('/etc/postgresql-common/createcluster.d', { recursive: true });
  writeFileSync('/etc/postgresql-common/createcluster.d/no-main.conf', 'create_main_cluster = false\n');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'postgresql']]) {
    const { code, output } = await attempt('apt-get', args, { env });
    if (code !== 0) throw new Failure(`${output}\n${advice}; "apt-get ${args.join(' ')}" failed`);
  }
}

/** The folder of PostgreSQL's programs; as root on Debian it is installed where there is none. */
async function findPostgres() {
  const found = installed();
  if (found) return found;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) throw new Failure(advice);
  await install();
  const bin = installed();
  if (!bin) throw new Failure(`${advice}; apt-get installed it, but not in ${versions}`);
  return bin;
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

/**
 * PostgreSQL refuses to run as root.
 *
 * @param {string[]} command
 */
function asUser(command) {
  const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig=QUIT'];
  return isRoot ? ['setpriv', ...user, ...command] : command;
}

/**
 * @param {string} bin
 * @returns {Promise<string>} a folder with an empty database
 */
async function makeFolder(bin) {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-postgres-'));
  const secret = join(folder, 'password');
  writeFileSync(secret, password);
  if (isRoot) {
    const [uid, gid] = (await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])))).map(
      Number,
    );
    for (const path of [folder, secret]) chownSync(path, Number(uid), Number(gid));
  }
  chmodSync(folder, 0o700);
  const options = ['--username=tester', `--pwfile=${secret}`, '--auth=scram-sha-256'];
  const [command = '', ...args] = asUser([
    ...[join(bin, 'initdb'), '--pgdata', join(folder, 'data'), '--encoding=UTF8', '--locale=C', '--no-sync'],
    ...options,
  ]);
  await run(command, args, { cwd: folder });
  return folder;
}

/**
 * @typedef {object} Server
 * @property {string} url with user and password
 * @property {number} port
 * @property {number} pid of the server that runs now
 * @property {(mode?: 'fast' | 'immediate') => Promise<void>} halt stops it until `resume` is called
 * @property {() => Promise<void>} resume starts it again, on the same port and data
 * @property {(mode?: 'fast' | 'immediate') => Promise<void>} restart both
 * @property {() => Promise<void>} stop ends it and removes its data
 */

/**
 * @param {object} [options]
 * @param {boolean} [options.fsync] whether commits wait for the disk, as in production
 * @param {Record<string, string | number>} [options.settings] as in postgresql.conf
 * @returns {Promise<Server>}
 */
export async function startPostgres({ fsync = false, settings = {} } = {}) {
  const bin = await findPostgres();
  const folder = await makeFolder(bin);
  const guard = spawn('sh', ['-c', guardian, 'sh', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const gone = new Promise((resolve) => guard.once('exit', resolve));
  guard.unref();
  /** @type {any} */ (guard.stdin).unref();
  const port = await freePort();
  const given = { fsync: fsync ? 'on' : 'off', max_connections: 60, shared_buffers: '32MB', ...settings };
  let server = await launch(bin, folder, port, given);

  const url = `postgres://tester:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const self = {
    url,
    port,
    get pid() {
      return Number(server.pid);
    },
    /** @param {'fast' | 'immediate'} [mode] */
    async halt(mode = 'fast') {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      // It keeps no process alive by itself, but whoever waits for its end.
      server.ref();
      if (server.exitCode === null && server.kill(signals[mode])) await ended;
    },
    async resume() {
      server = await launch(bin, folder, port, given);
    },
    /** @param {'fast' | 'immediate'} [mode] */
    async restart(mode = 'fast') {
      await self.halt(mode);
      await self.resume();
    },
    async stop() {
      await self.halt('immediate');
      guard.ref();
      guard.stdin.end();
      await gone;
    },
  };
  return self;
}

/**
 * @param {string} bin
 * @param {string} folder
 * @param {number} port
 * @param {Record<string, string | number>} settings
 * @returns {Promise<import('node:child_process').ChildProcess>} when it takes connections
 */
function launch(bin, folder, port, settings) {
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_min_messages: 'log',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command = '', ...args] = asUser([join(bin, 'postgres'), '-D', join(folder, 'data'), ...flags]);
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', PGDATA: undefined };
    const server = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    server.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000);
      if (said.includes('ready to accept connections')) {
        server.unref();
        /** @type {any} */ (server.stderr).unref();
        resolve(server);
      }
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with exit code ${code}:\n${said}`)));
  });
}
