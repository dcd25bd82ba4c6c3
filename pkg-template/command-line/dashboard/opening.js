// @ts-check
import { spawn } from 'node:child_process';

/** @type {Record<string, [command: string, ...before: string[]]>} */
const OPENERS = { darwin: ['open'], win32: ['rundll32', 'url.dll,FileProtocolHandler'] };

/**
 * Opens an address in the browser. Where there is none, its address is printed anyway.
 *
 * @param {string} url
 */
export function openInBrowser(url) {
  const [command, ...before] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...before, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
