// @ts-check
/** All workloads, in the order in which they run. */
import { workloads as childChanges } from './child-changes.mjs';
import { workloads as childSteps } from './child-steps.mjs';
import { workloads as children } from './children.mjs';
import { workloads as contexts } from './contexts.mjs';
import { workloads as events } from './events.mjs';
import { workloads as fanOut } from './fan-out.mjs';
import { workloads as inFlight } from './in-flight.mjs';
import { workloads as lifecycle } from './lifecycle.mjs';
import { workloads as longJobs } from './long-jobs.mjs';
import { workloads as memory } from './memory.mjs';
import { workloads as packages } from './package.mjs';
import { workloads as plan } from './plan.mjs';
import { workloads as postgres } from './postgres.mjs';
import { workloads as retention } from './retention.mjs';
import { workloads as sqlite } from './sqlite.mjs';
import { workloads as steps } from './steps.mjs';

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  lifecycle,
  steps,
  longJobs,
  sqlite,
  postgres,
  inFlight,
  children,
  childChanges,
  childSteps,
  fanOut,
  memory,
  plan,
  packages,
  contexts,
  events,
  retention,
].flat();
