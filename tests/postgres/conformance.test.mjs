import { after } from 'node:test';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { testJobStore } from '../../pkg-template/testing/store-conformance.js';
import { startPostgres } from '../servers/postgres.mjs';

const server = await startPostgres();
after(() => server.stop());
let schemas = 0;

testJobStore('postgres', () => {
  schemas += 1;
  return createPostgresStore({ connectionString: server.url, schema: `conformance_${schemas}` });
});
