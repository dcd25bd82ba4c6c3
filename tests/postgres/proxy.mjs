// @ts-check
/** A go-between that counts what a client sends to the server, and breaks connections when told to. */
import { connect, createServer } from 'node:net';

/** The server's last message of an answer: ready for the next query, in no transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * The types of the messages in a stream of them.
 *
 * @param {(type: string) => void} tell
 */
function messageReader(tell) {
  let rest = Buffer.alloc(0);
  let started = false;
  return (/** @type {Buffer} */ chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      // The first message of a client has no type.
      const from = started ? 1 : 0;
      if (rest.length < from + 4) return;
      const end = from + rest.readInt32BE(from);
      if (rest.length < end) return;
      if (started) tell(String.fromCharCode(Number(rest[0])));
      started = true;
      rest = rest.subarray(end);
    }
  };
}

/**
 * @typedef {'before' | 'amid' | 'after'} Moment when a connection breaks: before the server gets the message, when it
 *   has half of it, or when it has answered
 */

/** @param {string} serverUrl */
export async function startProxy(serverUrl) {
  const target = new URL(serverUrl);
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const self = {
    url: '',
    /** How many messages have asked the server for an answer. */
    roundTrips: 0,
    /** @type {Moment | null} how to break the connection of the next message that `breakAt` matches */
    moment: null,
    breakAt: /(write|advance)_job/,
    /** Connections are refused while this is true. */
    refusing: false,
    /** Whether connections are refused from the next cut on. */
    refuseNext: false,
    cuts: 0,
    cutAll() {
      self.refusing ||= self.refuseNext;
      self.refuseNext = false;
      for (const socket of sockets) socket.destroy();
    },
    /** @returns {Promise<void>} */
    stop() {
      self.cutAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  const server = createServer((client) => {
    if (self.refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const cut = () => {
      self.cuts += 1;
      self.refusing ||= self.refuseNext;
      self.refuseNext = false;
      client.destroy();
      upstream.destroy();
    };
    const count = messageReader((type) => {
      if (type === 'S' || type === 'Q') self.roundTrips += 1;
    });
    let silent = false;
    client.on('data', (chunk) => {
      count(chunk);
      const { moment } = self;
      if (moment === null || !self.breakAt.test(chunk.toString('latin1'))) {
        upstream.write(chunk);
        return;
      }
      self.moment = null;
      if (moment === 'before') cut();
      else if (moment === 'amid') upstream.write(chunk.subarray(0, chunk.length >> 1), cut);
      else {
        silent = true;
        upstream.write(chunk);
      }
    });
    upstream.on('data', (chunk) => {
      if (!silent) client.write(chunk);
      else if (chunk.subarray(-READY.length).equals(READY)) cut();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const url = new URL(serverUrl);
  url.port = String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  self.url = url.href;
  return self;
}
