// @ts-check

/**
 * Gives back what a list took at its peak, where nothing stands in it: the numbers begin at 0 again.
 *
 * @param {unknown[]} list what stands under a number
 * @param {number[]} free numbers under which nothing does
 */
export function reset(list, free) {
  if (free.length < list.length) return;
  list.length = 0;
  free.length = 0;
}
