// @ts-check
/** The example of docs/command-line.md runs as it is printed, against the installed package. */
import { testExamples } from './run-examples.mjs';

testExamples('docs/command-line.md');
