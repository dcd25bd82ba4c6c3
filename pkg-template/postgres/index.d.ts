import type { JobStore } from '../index.js';

/** What the store needs of a `pg.Pool` or `pg.Client`. */
export interface PostgresConnection {
  query(text: string): unknown;
}

/** One of `pool` and `connectionString`, not both. */
export interface PostgresStoreOptions {
  /**
   * A `pg.Pool`, or a `pg.Client` that is connected; the store never closes it. Give it a pool: after a broken connection
   * a pool makes another, and a client does not, so that with a client every call is refused from then on.
   */
  pool?: PostgresConnection;
  /** For a pool of the store's own, for instance `"postgres://user:password@host:5432/database"`. Needs `pg` installed. */
  connectionString?: string;
  /**
   * The schema that the store's tables are in, made when it is missing. Default: `"jobwright"`. Stores in different
   * schemas know nothing of each other.
   */
  schema?: string;
}

/** Everything a {@link JobStore} can do, each call answered by a promise. */
export interface PostgresStore extends Required<JobStore> {
  /** Ends the store's own pool, and no other. Calling it again changes nothing; any other call is then refused. */
  close(): Promise<void>;
}

/**
 * A store in a PostgreSQL database (version 12 or later), shared by any number of processes on any number of machines.
 *
 * A commit is one message to the server and writes only what changed; commits that are ready at the same moment share
 * one. Where the connection breaks in the middle of a commit, the store connects again, for up to 30 seconds, and finds
 * out whether the commit was stored.
 *
 * @example
 * const store = await createPostgresStore({ connectionString: process.env.DATABASE_URL });
 * const orchestrator = createOrchestrator({ store });
 */
export function createPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore>;
