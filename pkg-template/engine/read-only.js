// @ts-check

/** @type {WeakMap<object, object>} */
const views = new WeakMap();

/** @returns {never} */
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
    view = new Proxy(Array.isArray(value) ? [] : {}, new ReadOnly(value));
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
 * What a view does. The proxy's target is a stand-in: behind a frozen target, what is read could not be a view. A class,
 * since an agent's call makes one: an object of functions would be made of as many.
 *
 * @implements {ProxyHandler<object>}
 */
class ReadOnly {
  /** @param {any} value */
  constructor(value) {
    this.value = value;
  }

  /**
   * @param {object} _
   * @param {PropertyKey} key
   */
  get(_, key) {
    const { value } = this;
    if (Object.hasOwn(value, key)) return readOnly(value[key]);
    return Reflect.get(Object.getPrototypeOf(value) ?? {}, key);
  }

  /**
   * @param {object} _
   * @param {PropertyKey} key
   */
  has(_, key) {
    return key in this.value;
  }

  ownKeys() {
    return Reflect.ownKeys(this.value);
  }

  /**
   * @param {object} target
   * @param {PropertyKey} key
   */
  getOwnPropertyDescriptor(target, key) {
    const descriptor = Reflect.getOwnPropertyDescriptor(this.value, key);
    if (descriptor === undefined) return undefined;
    const configurable = Reflect.getOwnPropertyDescriptor(target, key)?.configurable ?? true;
    const { enumerable = false } = descriptor;
    return { value: readOnly(this.value[key]), writable: true, enumerable, configurable };
  }

  set() {
    return refuse();
  }

  defineProperty() {
    return refuse();
  }

  deleteProperty() {
    return refuse();
  }

  setPrototypeOf() {
    return refuse();
  }

  preventExtensions() {
    return refuse();
  }
}
