import type { JobStore } from '../index.js';

export interface SqliteStoreOptions {
  /** The database file, made when it is missing (its folder must exist), or `":memory:"`. */
  path: string;
  /**
   * What a commit waits for. `"NORMAL"` (the default): it survives the death of the process at any moment,
   * but the last ones may be undone by a power cut or a crash of the whole machine. `"FULL"`: it survives
   * those too, at about three times the time a commit takes.
   */
  synchronous?: 'NORMAL' | 'FULL';
  /**
   * Reads all pages of the file before it is used, and refuses one that is damaged: seconds for each gigabyte. Default:
   * false. What every opening looks at is small: is it jobwright's, of a version that is known, with all its tables, and
   * not cut short?
   */
  check?: boolean;
  /** The library that reads and writes the file. Default: better-sqlite3 where it is installed, else `node:sqlite`. */
  driver?: 'better-sqlite3' | 'node:sqlite';
}

/**
 * Everything a {@link JobStore} can do, answered at once without a promise. `watch` asks the file ten times a second
 * whether another process, or another store in this one, has written, and then tells "missed". Where several watch, each
 * is also told what this store writes.
 */
export interface SqliteStore extends Required<JobStore> {
  /** Closes the file. Calling it again changes nothing; any other call is then refused. */
  close(): Promise<void>;
}

/**
 * A store in one SQLite file, by better-sqlite3 or `node:sqlite`.
 *
 * Several processes of one machine may share a file: writes wait for each other, up to ten seconds. A commit
 * is one transaction and writes only what changed. Don't put the file on a network drive.
 *
 * @example
 * const store = await createSqliteStore({ path: 'jobs.db' });
 * const orchestrator = createOrchestrator({ store });
 */
export function createSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore>;
