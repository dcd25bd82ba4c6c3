// @ts-check
/** How much memory the wasm module has, and which instances of it there were: seen from outside, as they are made. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

const { WebAssembly } = /** @type {any} */ (globalThis);

/** @type {WeakRef<any>[]} the memory of each, in order */
const memories = [];

/** Is set to what the next instances are not made for. @type {{ refusal: Error | null }} */
export const room = { refusal: null };

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct: (Instance, [module, imports]) => {
    if (room.refusal !== null) throw room.refusal;
    const instance = new Instance(module, imports);
    // What unpacks the module is a module too, and imports nothing.
    if (imports !== undefined) memories.push(new WeakRef(instance.exports.memory));
    return instance;
  },
});

/** How many there were. */
export const instances = () => memories.length;

/** What the one in use has, in bytes. */
export const memory = () => memories.at(-1)?.deref().buffer.byteLength;

/** How many are still held by anybody. */
export async function held() {
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  return memories.filter((memory) => memory.deref() !== undefined).length;
}
