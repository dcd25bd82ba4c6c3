import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OrderedList } from '../../pkg-template/parts/ordered.js';

/** @typedef {{ order: number }} Item */

/** @param {OrderedList<Item>} list @param {number} [after] @param {number} [most] */
function listed(list, after, most = Infinity) {
  /** @type {Item[]} */
  const found = [];
  list.each((item) => found.push(item) < most, after);
  return found;
}

test('an ordered list is what a sorted array would be, however it is added to and removed from', () => {
  const step = fc.record({ order: fc.nat(40), after: fc.nat(40), most: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const items = Array.from({ length: 41 }, (_, order) => ({ order }));
      /** @type {OrderedList<Item>} */
      const list = new OrderedList();
      /** @type {Set<Item>} */
      const inList = new Set();
      for (const { order, after, most } of steps) {
        const item = /** @type {Item} */ (items[order]);
        // What is in the list goes, and what is not comes, back too.
        if (inList.delete(item)) list.remove(item);
        else list.insert(item) ?? inList.add(item);
        list.remove({ order: after });
        const expected = items.filter((each) => inList.has(each));
        assert.deepEqual(listed(list), expected);
        assert.equal(list.isEmpty, expected.length === 0);
        const behind = expected.filter((each) => each.order > after);
        assert.deepEqual(listed(list, after), behind);
        assert.deepEqual(listed(list, after, most), behind.slice(0, most));
      }
    }),
  );
});

test('what was removed from an ordered list takes no more room than what is in it', () => {
  const items = Array.from({ length: 1_000 }, (_, order) => ({ order }));
  /** @type {OrderedList<Item>} */
  const list = new OrderedList();
  for (const item of items) list.insert(item);
  for (const item of items.slice(0, 990)) list.remove(item);
  assert.deepEqual(listed(list), items.slice(990));
  assert.ok(list.places.length <= 20, `${list.places.length} places for 10 items`);
});
