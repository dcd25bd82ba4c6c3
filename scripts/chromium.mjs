// @ts-check
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { attempt, Failure } from './process.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const advice = 'Chromium is needed for the browser tests: install it, or name it in the variable CHROMIUM';

function installed() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  candidates.push('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
  return candidates.find((file) => existsSync(file));
}

async function install() {
  console.log('Installing Chromium with apt-get ...');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
    const { code, output } = await attempt('apt-get', args, { env });
    if (code !== 0) throw new Failure(`${output}\n${advice}; "apt-get ${args.join(' ')}" failed`);
  }
}

/** The path of a Chromium; as root on Debian it is installed where there is none. */
export async function findChromium() {
  const named = process.env.CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Failure(`The variable CHROMIUM names ${named}, which does not exist`);
    return named;
  }
  const found = installed();
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Failure(advice);
  await install();
  const file = installed();
  if (!file)
    throw new Failure(`${advice}; apt-get installed it, but none of ${names.join(', ')} is on the PATH`);
  return file;
}
