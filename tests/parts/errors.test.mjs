import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConflictError, JobwrightError, NonRetryableError } from '../../pkg-template/parts/errors.js';

const CLASSES = { ConflictError, JobwrightError, NonRetryableError };

for (const [name, ErrorClass] of Object.entries(CLASSES)) {
  test(`${name} says what it is`, () => {
    const cause = new TypeError('below');
    const error = new ErrorClass('A sentence', { code: 'not_found', details: { id: 1 }, cause });
    assert.ok(error instanceof Error);
    assert.ok(error instanceof ErrorClass);
    assert.equal(String(error), `${name}: A sentence`);
    assert.deepEqual(
      [error.code, error.details, error.cause, error.name],
      ['not_found', { id: 1 }, cause, name],
    );
    assert.ok(!Object.keys(error).includes('name'));
  });

  test(`${name} has no details and no cause unless given`, () => {
    const error = new ErrorClass('A sentence');
    assert.ok(!('details' in error));
    assert.ok(!('cause' in error));
  });
}

test('codes where none is given', () => {
  assert.equal(new JobwrightError('x').code, 'internal');
  assert.equal(new ConflictError('x').code, 'conflict');
  assert.equal(new NonRetryableError('x').retryable, false);
});
