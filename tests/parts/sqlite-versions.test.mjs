// @ts-check
/** The tests of the SQLite store pass on node:sqlite too, in each line of Node that has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findNode, nodeVersions } from '../../scripts/nodes.mjs';
import { attempt } from '../../scripts/process.mjs';

const files = ['conformance', 'store', 'processes', 'property', 'ordinary', 'durability', 'migration'].map(
  (name) => fileURLToPath(new URL(`./sqlite-${name}.test.mjs`, import.meta.url)),
);

for (const version of nodeVersions) {
  test(`node:sqlite in Node ${version}`, { timeout: 300_000 }, async (t) => {
    const node = await findNode(version);
    assert.equal((await attempt(node, ['--version'])).output.trim(), `v${version}`);
    const { code, output } = await attempt(node, ['--test', '--test-reporter=tap', ...files], {
      // The runner that runs this would else be reported to.
      env: { JOBWRIGHT_SQLITE_DRIVER: 'node:sqlite', NODE_TEST_CONTEXT: undefined },
    });
    const failed = output.split('\n').filter((line) => /^ *not ok|^ *error:/.test(line));
    assert.equal(code, 0, failed.join('\n'));
    const passed = Number(/^# pass (\d+)$/m.exec(output)?.[1]);
    assert.ok(passed > 100, `only ${passed} tests passed`);
    t.diagnostic(`${passed} passed`);
  });
}
