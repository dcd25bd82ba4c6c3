// @ts-check
import { createServer } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import { root } from './process.mjs';

/** The strictest under which a page can run wasm at all. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * Serves www/ on loopback, with a package below /jobwright/.
 *
 * @param {{ packageFolder: string, port?: number }} options without a port, a free one
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function servePage({ packageFolder, port = 0 }) {
  const page = sirv(join(root, 'www'), { dev: true });
  const library = sirv(packageFolder, { dev: true });
  const prefix = '/jobwright/';
  const server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    const missing = () => {
      response.statusCode = 404;
      response.end('Not found');
    };
    if (request.url?.startsWith(prefix)) {
      request.url = request.url.slice(prefix.length - 1);
      library(request, response, missing);
    } else {
      page(request, response, missing);
    }
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
