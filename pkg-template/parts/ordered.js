// @ts-check

/**
 * Things in the order of their creation. Adding the latest one, removing any, and going on after any cost the same in a
 * list of ten and of a hundred thousand: a place is found by halving, and what was removed leaves a hole behind until
 * half of the list is holes.
 *
 * @template {{ order: number }} T
 */
export class OrderedList {
  constructor() {
    /** @type {(T | number)[]} a number is a hole: the order of what stood there */
    this.places = [];
    this.holes = 0;
  }

  get isEmpty() {
    return this.places.length === this.holes;
  }

  /** @param {T} item */
  insert(item) {
    const last = this.places.at(-1);
    if (last === undefined || orderOf(last) < item.order) this.places.push(item);
    else this.places.splice(this.placeAfter(item.order), 0, item);
  }

  /** @param {T} item */
  remove(item) {
    const place = this.placeAfter(item.order) - 1;
    if (this.places[place] !== item) return;
    this.places[place] = item.order;
    this.holes += 1;
    if (this.holes * 2 <= this.places.length) return;
    this.places = this.places.filter((place) => typeof place !== 'number');
    this.holes = 0;
  }

  /**
   * @param {(item: T) => boolean} see each one that comes after `order`, until it answers false
   * @param {number} [order] default: from the first
   */
  each(see, order) {
    for (let i = order === undefined ? 0 : this.placeAfter(order); i < this.places.length; i += 1) {
      const item = this.places[i];
      if (typeof item === 'object' && !see(item)) return;
    }
  }

  /**
   * @param {number} order
   * @returns {number} the first place that comes after `order`
   */
  placeAfter(order) {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (orderOf(/** @type {T | number} */ (this.places[middle])) <= order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {{ order: number } | number} place */
const orderOf = (place) => (typeof place === 'number' ? place : place.order);
