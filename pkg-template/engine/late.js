// @ts-check

/** What most programs never need; a bundler puts it in a file of its own. */
export const loaded = () => import('../late/index.js');
