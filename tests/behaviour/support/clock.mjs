// @ts-check
/** Time that moves when a test says so. */
import { importPackage } from '../../package/installed.mjs';

const { createVirtualClock } = await importPackage('jobwright/testing');

export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets everything happen that can happen without time passing. */
export async function settle() {
  for (let n = 0; n < 12; n++) await turn();
}

/** A time of our days, which no one takes for a length. */
export const createClock = () => createVirtualClock(1_700_000_000_000);
