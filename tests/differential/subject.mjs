// @ts-check
/** What is under test, as a user gets it: the one place that says where it comes from. */
import { importPackage } from '../package/installed.mjs';

export const jobwright = await importPackage();
export const { createOrchestrator } = jobwright;
