// @ts-check
/** Which packages a lock file names. */
import { Failure } from './failure.mjs';

/**
 * @typedef {'cargo' | 'npm'} Ecosystem
 *
 * @typedef {object} Package
 * @property {string} id unlike any other's
 * @property {Ecosystem} ecosystem
 * @property {string} name
 * @property {string} version
 * @property {string} lock the lock file that names it, relative to the project
 * @property {string} [source] Cargo's name for where it comes from
 * @property {string} [path] where npm installs it, relative to the lock file's folder
 * @property {string} [stated] the licence that the lock file itself gives
 *
 * `own` counts the packages that belong to the project: they are what is audited for, not what is audited.
 * @typedef {{ packages: Package[], own: number }} Listed
 */

export const LOCK_FILES = {
  'Cargo.lock': /** @type {const} */ ('cargo'),
  'package-lock.json': /** @type {const} */ ('npm'),
};

/**
 * @param {string} lock a path that ends with one of the names
 * @returns {Ecosystem}
 */
export function ecosystemOf(lock) {
  return lock.endsWith('Cargo.lock') ? 'cargo' : 'npm';
}

/**
 * @param {string} text
 * @param {string} lock
 * @returns {Listed} sorted by name and version
 */
export function readLockFile(text, lock) {
  const { packages, own } =
    ecosystemOf(lock) === 'cargo' ? readCargoLock(text, lock) : readNpmLock(text, lock);
  // npm installs one version in several places; one of them is enough to read its licence.
  const byId = new Map(packages.toReversed().map((found) => [found.id, found]));
  return { packages: [...byId.values()].sort(byNameAndVersion), own };
}

/**
 * @param {{ ecosystem: string, name: string, version: string, id: string }} a
 * @param {{ ecosystem: string, name: string, version: string, id: string }} b
 */
export function byNameAndVersion(a, b) {
  return (
    compare(a.ecosystem, b.ecosystem) ||
    compare(a.name, b.name) ||
    compare(a.version, b.version) ||
    compare(a.id, b.id)
  );
}

/**
 * By code units, which is the same on every machine.
 *
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * Cargo writes this file itself, always one `key = "value"` a line, so no parser of all of TOML is needed.
 *
 * @param {string} text
 * @param {string} lock
 * @returns {Listed}
 */
function readCargoLock(text, lock) {
  /** @type {Package[]} */
  const packages = [];
  let own = 0;
  for (const block of text.split(/^\[\[package\]\]\s*$/m).slice(1)) {
    const value = (/** @type {string} */ key) => new RegExp(`^${key} = "([^"]*)"\\s*$`, 'm').exec(block)?.[1];
    const [name, version, source] = [value('name'), value('version'), value('source')];
    if (name === undefined || version === undefined) {
      throw new Failure(`${lock} has a package without a name or a version.`);
    }
    if (source === undefined) own += 1;
    else
      packages.push({
        id: `${lock}: ${name} ${version} ${source}`,
        ecosystem: 'cargo',
        name,
        version,
        lock,
        source,
      });
  }
  return { packages, own };
}

/**
 * @param {string} text
 * @param {string} lock
 * @returns {Listed}
 */
function readNpmLock(text, lock) {
  const { packages, dependencies } = parseObject(text, lock);
  /** @type {[string, any][]} */
  const entries = packages !== undefined ? Object.entries(packages) : nested(dependencies, '');
  /** @type {Package[]} */
  const found = [];
  let own = 0;
  for (const [path, entry] of entries.sort(([a], [b]) => compare(a, b))) {
    const place = path.lastIndexOf('node_modules/');
    if (entry?.link === true) continue;
    if (place < 0) own += 1;
    else found.push(npmPackage(path, path.slice(place + 'node_modules/'.length), entry, lock));
  }
  return { packages: found, own };
}

/**
 * @param {string} text
 * @param {string} lock
 */
function parseObject(text, lock) {
  try {
    const given = JSON.parse(text);
    if (given !== null && typeof given === 'object') return given;
  } catch {
    // Refused below, like whatever else is no lock file.
  }
  throw new Failure(`${lock} is not a lock file: it must be a JSON object.`);
}

/**
 * The layout of npm 6 and before: packages inside packages.
 *
 * @param {Record<string, any> | undefined} dependencies
 * @param {string} base
 * @returns {[string, any][]}
 */
function nested(dependencies, base) {
  return Object.entries(dependencies ?? {}).flatMap(([name, entry]) => {
    const path = `${base}node_modules/${name}`;
    return [[path, entry], ...nested(entry?.dependencies, `${path}/`)];
  });
}

/**
 * @param {string} path
 * @param {string} folder what it is installed as
 * @param {any} entry
 * @param {string} lock
 * @returns {Package}
 */
function npmPackage(path, folder, entry, lock) {
  const name = typeof entry?.name === 'string' ? entry.name : folder;
  const version = entry?.version;
  if (typeof version !== 'string') throw new Failure(`${lock} gives no version for ${path}.`);
  const stated = statedLicence(entry);
  const found = {
    id: `${lock}: ${name} ${version}`,
    ecosystem: /** @type {const} */ ('npm'),
    name,
    version,
    lock,
    path,
  };
  return stated === null ? found : { ...found, stated };
}

/**
 * The licence in a package.json, in the forms of today and of old.
 *
 * @param {any} manifest
 * @returns {string | null}
 */
export function statedLicence(manifest) {
  const { license, licenses } = manifest ?? {};
  const one = nameOf(license);
  if (one !== null) return one;
  const several = Array.isArray(licenses) ? licenses.map(nameOf).filter((name) => name !== null) : [];
  return several.length === 0 ? null : several.join(' OR ');
}

/**
 * @param {any} license
 * @returns {string | null}
 */
function nameOf(license) {
  const name = typeof license === 'string' ? license : license?.type;
  return typeof name === 'string' && name.trim() !== '' ? name.trim() : null;
}
