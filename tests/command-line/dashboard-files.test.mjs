// @ts-check
/** The page's files, compressed as whoever asks takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDashboard } from './dashboards.mjs';
import { LIMIT, makePlace, planOf } from './support.mjs';

const CODINGS = /** @type {const} */ ([
  ['gzip, deflate, br, zstd', 'br', 'br'],
  ['gzip;q=0.8, BR;q=1.0', 'br', 'br'],
  ['gzip, deflate', 'gzip', undefined],
  ['gzip, br;q=0', 'gzip', undefined],
  ['br;q=0.000, gzip;q=0', undefined, undefined],
  ['abr', undefined, undefined],
  ['identity', undefined, undefined],
  [undefined, undefined, undefined],
]);

test('each gets the page as it takes it, and it is the same page', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('greet'));
  await place.stored('run', 'plan.json', '--agents', 'agents.mjs');
  const { ask, path, bearer } = await openDashboard(place, ['--no-open']);
  const page = await ask(path);
  const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(page.text)?.[1];
  assert.ok(script, page.text);
  const [large, small] = [await ask(path + script), await ask(`${path}icon.svg`)];
  assert.match(large.text, /\bimport\b/);
  assert.match(small.text, /<svg/);
  for (const [accepted, coding, ofSmall] of CODINGS) {
    const headers = accepted === undefined ? bearer : { ...bearer, 'accept-encoding': accepted };
    for (const [name, wanted, whole] of /** @type {const} */ ([
      [script, coding, large],
      ['icon.svg', ofSmall, small],
    ])) {
      const answer = await ask(path + name, { headers });
      assert.equal(answer.headers['content-encoding'], wanted, `${name} for ${accepted}`);
      assert.equal(Number(answer.headers['content-length']), answer.bytes);
      assert.equal(answer.headers.vary, 'Accept-Encoding');
      assert.equal(answer.text, whole.text, `${name} for ${accepted}`);
      if (wanted !== undefined) assert.ok(answer.bytes < whole.bytes);
    }
  }
});
