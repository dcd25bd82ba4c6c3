// @ts-check
import { createServer } from 'node:http';
import sirv from 'sirv';
import { pageFolder } from './setup/page.mjs';

/** The strictest under which the page can run wasm and draw graphs. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * Serves the built demo on loopback.
 *
 * @param {{ folder?: string, port?: number }} [options] another folder; without a port, a free one
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function servePage({ folder = pageFolder('demo'), port = 0 } = {}) {
  const page = sirv(folder, { dev: true });
  const server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    page(request, response, () => {
      response.statusCode = 404;
      response.end('Not found');
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
