// @ts-check

/** By this name Node looks for how an object is to be printed. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Under this symbol an object has what its late members are made of, by their names. */
const LATE = Symbol('late');

/** Whoever prints an object sees what is in it, and not that some of it is made late. */
const asMade = {
  /** @this {any} */
  value() {
    return { ...this };
  },
};

/**
 * One for each name: descriptors of their own would give each object a shape of its own, which takes longer than making
 * what is in it.
 *
 * @type {Map<string, PropertyDescriptor>}
 */
const descriptors = new Map();

/** @param {string} name */
function descriptorOf(name) {
  const known = descriptors.get(name);
  if (known !== undefined) return known;
  const descriptor = {
    enumerable: true,
    configurable: true,
    /** @this {any} */
    get() {
      const late = this[LATE][name];
      if (late.make !== null) {
        late.made = late.make();
        late.make = null;
      }
      return late.made;
    },
    /** @this {any} @param {unknown} value */
    set(value) {
      Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
    },
  };
  descriptors.set(name, descriptor);
  return descriptor;
}

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
  /** @type {any} */
  const { [LATE]: members } = /** @type {any} */ (object);
  if (members === undefined) {
    Object.defineProperty(object, LATE, { value: { [name]: { make, made: undefined } } });
    Object.defineProperty(object, INSPECT, asMade);
  } else members[name] = { make, made: undefined };
  return Object.defineProperty(object, name, descriptorOf(name));
}

/**
 * Changes what a member is, now or, where it is made late, when it is made.
 *
 * @param {any} object in which nobody has read it yet
 * @param {string} name
 * @param {(value: any) => void} change
 */
export function changeMember(object, name, change) {
  const late = object[LATE]?.[name];
  if (late === undefined) return change(object[name]);
  const { make } = late;
  late.make = () => {
    const made = make();
    change(made);
    return made;
  };
}
