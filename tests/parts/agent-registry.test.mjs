import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAgentRegistry } from '../../pkg-template/parts/agent-registry.js';

test('agents are found by name, functions as agents with execute', () => {
  const greet = (name) => `Hello ${name}`;
  const object = { metadata: { cost: 3 }, execute: () => 1 };
  const { get, list, register } = createAgentRegistry({ greet, object });
  assert.equal(get('greet').execute, greet);
  assert.equal(get('object'), object);
  assert.deepEqual(list(), ['greet', 'object']);
  register('late', greet);
  register('greet', object);
  assert.equal(get('greet'), object);
  assert.deepEqual(list(), ['greet', 'object', 'late']);
});

test('no name is found that was not registered', () => {
  const { get, register, list } = createAgentRegistry();
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'get', ''];
  for (const name of names) assert.equal(get(name), undefined);
  register('__proto__', () => 1);
  register('constructor', () => 2);
  assert.equal(get('__proto__').execute(), 1);
  assert.equal(get('constructor').execute(), 2);
  assert.deepEqual(list(), ['__proto__', 'constructor']);
  assert.equal(get('toString'), undefined);
});

test('an agent whose execute is inherited is one', () => {
  class Greeter {
    execute() {
      return 'Hello';
    }
  }
  const greeter = new Greeter();
  assert.equal(createAgentRegistry({ greeter }).get('greeter'), greeter);
});

test('what is no agent is refused, by name', () => {
  const { register, list } = createAgentRegistry();
  for (const bad of [undefined, null, 1, 'agent', {}, { execute: 1 }, []]) {
    assert.throws(() => register('bad', bad), {
      name: 'TypeError',
      message: /^The agent "bad": expected a function or an object with execute, found /,
    });
    assert.throws(() => createAgentRegistry({ bad }), { name: 'TypeError', message: /^The agent "bad": / });
  }
  for (const bad of [undefined, null, 1, '', {}]) {
    assert.throws(() => register(bad, () => 1), { name: 'TypeError', message: /^register: name: expected / });
  }
  for (const bad of [null, 'agents', 1]) {
    assert.throws(() => createAgentRegistry(bad), {
      name: 'TypeError',
      message: /^createAgentRegistry: agents: /,
    });
  }
  assert.deepEqual(list(), []);
});
