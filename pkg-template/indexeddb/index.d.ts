import type { JobStore, StoreNotice } from '../index.js';

export interface IndexedDbStoreOptions {
  /** The database's name among those of the site. Default: `"jobwright"`. */
  name?: string;
  /**
   * What a commit waits for. `"relaxed"` (the default, as it is in browsers): it survives the death of the tab and of
   * the browser at any moment, but the last ones may be undone by a power cut or a crash of the whole machine; the job
   * then goes on from the one before. `"strict"`: it survives those too, as far as the disk keeps its word, and each
   * commit waits for the disk.
   */
  durability?: 'relaxed' | 'strict';
}

/** Everything a {@link JobStore} can do, answered with promises. */
export interface IndexedDbStore extends Required<JobStore> {
  saveJob(job: Parameters<JobStore['saveJob']>[0]): Promise<void>;
  getJob(jobId: string): Promise<Awaited<ReturnType<JobStore['getJob']>>>;
  /**
   * Tells what is written to the database, by this store, others and other tabs. Where there is no `BroadcastChannel`,
   * it tells only the first. When the store closes, it tells `missed`.
   */
  watch(listener: (notice: StoreNotice) => void): Promise<() => void>;
  /**
   * Closes the database and gives up all leases; commits under way are finished. Calling it again changes nothing; any
   * other call is then refused.
   */
  close(): Promise<void>;
}

/**
 * A store in the browser's IndexedDB, by npm's `idb`, which has to be installed beside this package. For pages and
 * workers.
 *
 * Several tabs may share a database. A commit is one transaction and writes only what changed. The lease of a tab that
 * is gone is free at once where there are Web Locks (secure pages), else when its time is over. A store is closed when
 * the database is deleted, or brought up to date by a newer version of jobwright in another tab; its calls then reject
 * with a `JobwrightError`, code `closed`.
 *
 * Rejects with a `JobwrightError`, code `unsupported`, where there is no IndexedDB, and where a newer version of
 * jobwright has written the database.
 *
 * @example
 * const store = await createIndexedDbStore({ name: 'jobs' });
 * const orchestrator = createOrchestrator({ store });
 */
export function createIndexedDbStore(options?: IndexedDbStoreOptions): Promise<IndexedDbStore>;
