// @ts-check
/** The README's example runs as it is printed, against the installed package. */
import { testExamples } from './run-examples.mjs';

testExamples('README.md');
