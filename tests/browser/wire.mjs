// @ts-check
import { connect, createServer } from 'node:net';

/**
 * What stands between the page and the server, and can be cut.
 *
 * @param {import('node:test').TestContext} t
 * @param {number} port
 */
export async function openWire(t, port) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const wire = createServer((socket) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, far],
      [far, socket],
    ]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise((resolve) => wire.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => {
    cut();
    wire.close();
  });
  return { port: /** @type {import('node:net').AddressInfo} */ (wire.address()).port, cut };
}
