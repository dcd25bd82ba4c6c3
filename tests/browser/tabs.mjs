// @ts-check
/** Tabs of one site with a store each. */

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof import('./store-page.mjs').openSite>>} Site */

/**
 * Two tabs with a store each, as `store` there.
 *
 * @param {Site} site
 * @param {string} name of the database
 * @param {(pages: [Page, Page]) => Promise<void>} work
 */
export async function withTabs(site, name, work) {
  const pages = /** @type {[Page, Page]} */ (await Promise.all([site.openPage(), site.openPage()]));
  try {
    for (const page of pages) await openStore(page, name);
    await work(pages);
  } finally {
    await Promise.all(pages.map((page) => page.close()));
  }
}

/**
 * @param {Page} page
 * @param {string} name
 */
export async function openStore(page, name) {
  await page.evaluate(async (name) => {
    /** @type {any} */
    const world = globalThis;
    world.store = await world.kit.createIndexedDbStore({ name });
  }, name);
}

/**
 * Calls a method of a tab's store.
 *
 * @param {Page} page
 * @param {string} method
 * @param {...unknown} args
 * @returns {Promise<{ value?: any, error?: { name: string, code: string, message: string, details: any } }>}
 */
export function ask(page, method, ...args) {
  return page.evaluate(
    ([method, args]) => {
      const { store, ending } = /** @type {any} */ (globalThis);
      return ending(Promise.resolve(store[method](...args)));
    },
    /** @type {[string, any[]]} */ ([method, args]),
  );
}

/** @param {string} id */
export const jobOf = (id, more = {}) => ({
  id,
  status: 'created',
  context: {},
  permissions: { allowTools: false, requireApproval: true, maxSteps: 10 },
  history: [],
  timing: { created: 1 },
  ...more,
});

/** No store of the site says that it is there. */
export const nobodyPresent = async () => (await navigator.locks.query()).held?.length === 0;
