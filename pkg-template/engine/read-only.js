// @ts-check

/** @type {WeakMap<object, object>} */
const views = new WeakMap();

const refuse = () => {
  throw new TypeError(
    'The context is read-only for agents: return what is to change as the output of the step',
  );
};

/**
 * A view of a value that can be read like it and not changed, nor anything in it. Nothing is copied.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function readOnly(value) {
  if (value === null || typeof value !== 'object' || !isPlain(value)) return value;
  let view = views.get(value);
  if (view === undefined) {
    view = new Proxy(Array.isArray(value) ? [] : {}, handlerFor(value));
    views.set(value, view);
  }
  return /** @type {T} */ (view);
}

/** @param {object} value */
function isPlain(value) {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The proxy's target is a stand-in: behind a frozen target, what is read could not be a view.
 *
 * @param {any} value
 * @returns {ProxyHandler<object>}
 */
function handlerFor(value) {
  return {
    get: (_, key) =>
      Object.hasOwn(value, key) ? readOnly(value[key]) : Reflect.get(Object.getPrototypeOf(value) ?? {}, key),
    has: (_, key) => key in value,
    ownKeys: () => Reflect.ownKeys(value),
    getOwnPropertyDescriptor(target, key) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
      if (descriptor === undefined) return undefined;
      const configurable = Reflect.getOwnPropertyDescriptor(target, key)?.configurable ?? true;
      const { enumerable = false } = descriptor;
      return { value: readOnly(value[key]), writable: true, enumerable, configurable };
    },
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  };
}
