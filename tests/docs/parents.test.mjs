// @ts-check
/** The example of docs/parents.md runs as it is printed, against the installed package. */
import { testExamples } from './run-examples.mjs';

testExamples('docs/parents.md');
