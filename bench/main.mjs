// @ts-check
/** `npm run bench`: this package beside what users would take instead, in the same run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { main, root } from '../scripts/process.mjs';
import { readArguments } from './harness/arguments.mjs';
import { changePage, fill, fillSections } from './harness/page.mjs';
import { installPeers, peerVersions } from './harness/peers.mjs';
import { rowsOf, tableOf } from './harness/report.mjs';
import { runWorkload } from './harness/run.mjs';
import { aboutMachine, machine } from './harness/settings.mjs';
import { workloads } from './workloads/index.mjs';

await main(async () => {
  const options = readArguments(
    process.argv.slice(2),
    workloads.map(({ name }) => name),
  );
  if (options.list) {
    for (const { name, title } of workloads) console.log(`${name.padEnd(20)}${title}`);
    return;
  }
  const chosen = workloads.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  if (options.peers) await installPeers();
  /** @type {import('./harness/report.mjs').Row[]} */
  const rows = [];
  for (const workload of chosen) {
    const from = Date.now();
    const found = rowsOf(workload, await runWorkload(workload, options));
    const seconds = ((Date.now() - from) / 1_000).toFixed(0);
    console.error(`\n${workload.title} (${seconds} s)\n${tableOf(found)}`);
    rows.push(...found);
  }
  const about = machine(options.peers ? peerVersions : {});
  const settings = Object.fromEntries(
    chosen.map(({ name, title, sizes, quick }) => [
      name,
      { title, ...sizes, ...(options.quick ? quick : {}) },
    ]),
  );
  const file = resolve(options.json ?? join(root, '.cache/bench.json'));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...about, repeats: options.repeats, settings, rows }, null, 1));
  const line = aboutMachine(about);
  console.log(
    `\n${line}\n\nEach figure is the median of at least ${options.repeats} repeats.\n\n${tableOf(rows)}`,
  );
  const dues = rows.filter(({ met }) => met !== undefined);
  const met = dues.filter((row) => row.met).length;
  console.log(`\n${met} of ${dues.length} are as they are due. All figures are in ${file}.`);
  if (options.page) {
    const sections = chosen.map(({ name, title, sizes }) => {
      const own = rows.filter(({ workload }) => workload === name);
      return /** @type {const} */ ([name, `${capital(title)}.${settingsOf(sizes)}\n\n${tableOf(own)}`]);
    });
    const order = workloads.map(({ name }) => name);
    changePage(resolve(options.page), (page) =>
      fillSections(fill(page, 'machine', line), 'tables', new Map(sections), order),
    );
  }
});

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {object} sizes */
function settingsOf(sizes) {
  const text = JSON.stringify(sizes);
  return text === '{}' ? '' : ` Settings: \`${text}\`.`;
}
