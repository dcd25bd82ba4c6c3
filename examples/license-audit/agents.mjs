// @ts-check
/**
 * The agents of an audit. They know neither the terminal nor the file system: all they do outside of their own heads
 * goes through the tools that the plan grants.
 */
import { NonRetryableError } from 'jobwright';
import { createJudge } from './licences.mjs';
import { byNameAndVersion, ecosystemOf, LOCK_FILES, readLockFile, statedLicence } from './lock-files.mjs';
import { READ_ATTEMPTS } from './plan.mjs';
import { countVerdicts, writeMarkdown } from './report.mjs';
import { count } from './words.mjs';

/**
 * @typedef {import('jobwright').AgentContext} AgentContext
 * @typedef {import('./lock-files.mjs').Package} Package
 * @typedef {import('./licences.mjs').Policy} Policy
 * @typedef {import('./licences.mjs').Judgement} Judgement
 *
 * What was read of a package, in the order of the packages.
 * @typedef {{ licence: string | null, from: string, problem?: string }} Reading
 * @typedef {Pick<Package, 'id' | 'ecosystem' | 'name' | 'version' | 'lock'> & Pick<Reading, 'licence' | 'from'> & Judgement} Judged
 * @typedef {{ by: string, count: number } | null} Review null where nothing needed one
 *
 * @typedef {(tool: string, args?: unknown) => Promise<any>} CallTool
 */

/** How many packages are read side by side. */
const BATCH = 25;

export const agents = {
  finder: counted(findLockFiles),
  lister: counted(listPackages),
  crateReader: counted(readCrates),
  moduleReader: counted(readModules),
  judge: counted(judgePackages),
  reviewer: counted(askForReview),
  reporter: counted(report),
};

/**
 * An agent that costs as many units as it called tools.
 *
 * @template I, O
 * @param {(input: I, call: CallTool, context: AgentContext) => Promise<O>} work
 * @returns {import('jobwright').AgentFn}
 */
function counted(work) {
  return async (input, context) => {
    let cost = 0;
    /** @type {CallTool} */
    const call = (tool, args) => {
      cost += 1;
      return context.callTool(tool, args);
    };
    const data = await work(input, call, context);
    return { success: true, data, cost };
  };
}

/**
 * @param {unknown} _input
 * @param {CallTool} call
 * @param {AgentContext} context
 * @returns {Promise<string[]>}
 */
async function findLockFiles(_input, call, context) {
  /** @type {string[]} */
  const locks = await call('findFiles', { names: Object.keys(LOCK_FILES) });
  if (locks.length === 0) throw new NonRetryableError('The lock files are gone');
  note(context, locks.join(', '));
  return locks;
}

/**
 * @param {{ locks: string[] }} input
 * @param {CallTool} call
 * @param {AgentContext} context
 */
async function listPackages({ locks }, call, context) {
  /** @type {{ cargo: Package[], npm: Package[], own: number }} */
  const listed = { cargo: [], npm: [], own: 0 };
  for (const lock of locks) {
    const { packages, own } = readLock(await call('readFile', { path: lock }), lock);
    listed[ecosystemOf(lock)].push(...packages);
    listed.own += own;
  }
  note(context, `${count(listed.cargo.length, 'crate')}, ${count(listed.npm.length, 'npm package')}`);
  return listed;
}

/**
 * @param {string} text
 * @param {string} lock
 */
function readLock(text, lock) {
  try {
    return readLockFile(text, lock);
  } catch (error) {
    throw new NonRetryableError(/** @type {Error} */ (error).message, { cause: error });
  }
}

/**
 * @param {{ locks: string[], packages: Package[] }} input
 * @param {CallTool} call
 * @param {AgentContext} context
 * @returns {Promise<Reading[]>}
 */
async function readCrates({ locks, packages }, call, context) {
  /** @type {Map<string, { stated: Map<string, string | null>, problem?: string }>} */
  const byLock = new Map();
  for (const lock of locks.filter((lock) => packages.some((crate) => crate.lock === lock))) {
    byLock.set(lock, await askCargo(folderOf(lock), call, context));
  }
  const readings = await inBatches(packages, context, async ({ lock, name, version, source }) => {
    const { stated, problem } = /** @type {NonNullable<ReturnType<typeof byLock.get>>} */ (byLock.get(lock));
    const licence = stated.get(`${name} ${version} ${source}`);
    if (licence !== undefined) return { licence, from: 'cargo metadata' };
    return { licence: null, from: 'nowhere', problem: problem ?? 'cargo metadata does not name it' };
  });
  return noteReadings(context, readings);
}

/**
 * What Cargo says of the crates of one folder, with all features, because a lock file holds those: first from what is
 * on this machine, then from the network. When that fails for good, the crates count as unread, which a person then
 * sees; an audit of the rest is better than none.
 *
 * @param {string} folder
 * @param {CallTool} call
 * @param {AgentContext} context
 */
async function askCargo(folder, call, context) {
  const args = ['metadata', '--format-version', '1', '--locked', '--all-features'];
  let answer = await call('runCargo', { folder, args: [...args, '--offline'] });
  if (answer.problem !== undefined && !answer.final) answer = await call('runCargo', { folder, args });
  if (answer.problem === undefined) return { stated: readMetadata(answer.output) };
  if (!answer.final && context.attempt < READ_ATTEMPTS) throw new Error(answer.problem);
  return { stated: new Map(), problem: answer.problem };
}

/**
 * @param {string} output
 * @returns {Map<string, string | null>} by name, version and source
 */
function readMetadata(output) {
  const { packages } = JSON.parse(output);
  return new Map(
    packages.map((/** @type {any} */ crate) => [
      `${crate.name} ${crate.version} ${crate.source}`,
      crate.license ?? (crate.license_file ? `SEE LICENSE IN ${crate.license_file}` : null),
    ]),
  );
}

/**
 * @param {{ packages: Package[] }} input
 * @param {CallTool} call
 * @param {AgentContext} context
 * @returns {Promise<Reading[]>}
 */
async function readModules({ packages }, call, context) {
  const readings = await inBatches(packages, context, async ({ lock, path, version, stated }) => {
    const manifest = await readManifest(`${folderOf(lock)}/${path}/package.json`, call);
    // What is installed may be older or newer than what is locked, and have another licence.
    const installed = manifest?.version === version ? statedLicence(manifest) : null;
    if (installed !== null) return { licence: installed, from: 'node_modules' };
    if (stated !== undefined) return { licence: stated, from: 'package-lock.json' };
    if (manifest?.version === version) return { licence: null, from: 'node_modules' };
    return {
      licence: null,
      from: 'nowhere',
      problem: 'it is not installed, and the lock file gives no licence',
    };
  });
  return noteReadings(context, readings);
}

/**
 * @param {string} path
 * @param {CallTool} call
 * @returns {Promise<any>} null where there is none that can be read
 */
async function readManifest(path, call) {
  try {
    return JSON.parse(await call('readFile', { path }));
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * @param {AgentContext} context
 * @param {Reading[]} readings
 */
function noteReadings(context, readings) {
  const without = readings.filter(({ licence }) => licence === null).length;
  note(
    context,
    `${count(readings.length - without, 'licence')}${without === 0 ? '' : `, ${count(without, 'package')} without`}`,
  );
  return readings;
}

/**
 * @typedef {{ packages: Package[], licences: Reading[] }} Read
 *
 * @param {{ cargo: Read, npm: Read, policy: Policy }} input
 * @param {CallTool} _call
 * @param {AgentContext} context
 * @returns {Promise<Judged[]>}
 */
async function judgePackages({ cargo, npm, policy }, _call, context) {
  const { judge } = createJudge(policy);
  const read = [cargo, npm].flatMap(({ packages, licences }) =>
    packages.map((found, place) => ({ found, reading: licences[place] })),
  );
  const judged = await inBatches(read, context, async ({ found, reading }) => {
    const { id, ecosystem, name, version, lock } = found;
    const { licence, from, problem } = reading;
    const { verdict, why } = judge(licence, ecosystem);
    return {
      id,
      ecosystem,
      name,
      version,
      lock,
      licence,
      from,
      verdict,
      why: problem ? `${why}: ${problem}` : why,
    };
  });
  const { allowed, review, denied } = countVerdicts(judged);
  note(context, `${allowed} allowed, ${review} to review, ${denied} denied`);
  return judged.sort(byNameAndVersion);
}

/**
 * The tool asks a person where there is something to ask, which ends this attempt; the one after the answer passes.
 *
 * @param {{ judged: Judged[] }} input
 * @param {CallTool} call
 * @param {AgentContext} context
 * @returns {Promise<Review>}
 */
async function askForReview({ judged }, call, context) {
  const packages = judged
    .filter(({ verdict }) => verdict === 'review')
    .map(({ ecosystem, name, version, licence, why }) => ({
      package: `${name} ${version}`,
      ecosystem,
      licence,
      why,
    }));
  const review = await call('signOff', { packages });
  note(context, review === null ? 'nothing to review' : `approved by ${review.by}`);
  return review;
}

/**
 * @param {import('./report.mjs').Findings} findings
 * @param {CallTool} call
 * @param {AgentContext} context
 */
async function report(findings, call, context) {
  const path = await call('writeReport', { text: writeMarkdown(findings) });
  note(context, path);
  return countVerdicts(findings.judged);
}

/**
 * Says how far it is after each batch, at most ten times however many packages there are.
 *
 * @template T, U
 * @param {T[]} items
 * @param {AgentContext} context
 * @param {(item: T) => Promise<U>} work
 */
async function inBatches(items, context, work) {
  const size = Math.max(BATCH, Math.ceil(items.length / 10));
  /** @type {U[]} */
  const done = [];
  while (done.length < items.length) {
    context.signal.throwIfAborted();
    done.push(...(await Promise.all(items.slice(done.length, done.length + size).map(work))));
    context.emit('audit_progress', { step: context.step, done: done.length, total: items.length });
  }
  return done;
}

/**
 * @param {AgentContext} context
 * @param {string} text
 */
function note(context, text) {
  context.emit('audit_note', { step: context.step, text });
}

/** @param {string} lock */
function folderOf(lock) {
  const end = lock.lastIndexOf('/');
  return end < 0 ? '.' : lock.slice(0, end);
}
