// @ts-check
/** The examples of the pages on stores print what the pages say, against the installed package. */
import { testExamples } from './run-examples.mjs';

for (const page of ['sqlite', 'retention']) testExamples(`docs/stores/${page}.md`);
