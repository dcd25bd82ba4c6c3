// @ts-check

/** By this name Node looks for how an object is to be printed. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Whoever prints an object sees what is in it, and not that some of it is made late. */
export const asMade = {
  /** @this {any} */
  value() {
    return { ...this };
  },
};

/**
 * Makes a member of an object when it is first read. Who copies, compares or prints the object sees a member like others.
 *
 * @template {object} T
 * @param {T} object
 * @param {string} name
 * @param {() => unknown} make
 * @returns {T}
 */
export function withLate(object, name, make) {
  /** @type {unknown} */
  let made;
  const get = () => {
    made ??= make();
    return made;
  };
  /** @this {any} @param {unknown} value */
  const set = function (value) {
    Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
  };
  Object.defineProperty(object, name, { get, set, enumerable: true, configurable: true });
  return Object.defineProperty(object, INSPECT, asMade);
}

/**
 * Changes what a member is, now or, where it is made late, when it is made.
 *
 * @param {any} object
 * @param {string} name
 * @param {(value: any) => void} change
 */
export function changeMember(object, name, change) {
  const late = Object.getOwnPropertyDescriptor(object, name)?.get;
  if (late === undefined) return change(object[name]);
  withLate(object, name, () => {
    const made = late.call(object);
    change(made);
    return made;
  });
}
