import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';

/** A message of PostgreSQL's protocol. @param {string} type @param {Buffer} body */
function message(type, body) {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const WELCOME = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
const PARTING = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

test('a server that ends a connection in the breath in which it takes it ends no process', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    // In one piece, as the network may deliver what a server sends that is told to stop just then.
    socket.once('data', () => socket.end(Buffer.concat([...WELCOME, PARTING])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const connectionString = `postgres://somebody@127.0.0.1:${server.address().port}/postgres`;
  await assert.rejects(createPostgresStore({ connectionString }), { name: 'JobwrightError' });
});
