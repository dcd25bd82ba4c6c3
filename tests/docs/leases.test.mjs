// @ts-check
/** The example of docs/leases.md runs as it is printed, against the installed package. */
import { testExamples } from './run-examples.mjs';

testExamples('docs/leases.md');
