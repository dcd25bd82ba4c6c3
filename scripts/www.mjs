// @ts-check
/** Serves the built demo: `npm run www`, or with a port, `npm run www -- 8080`. */
import { main } from './process.mjs';
import { servePage } from './serve.mjs';

await main(async () => {
  const { url } = await servePage({ port: Number(process.argv[2] ?? 0) });
  console.log(`The demo page is at ${url} until Ctrl-C`);
});
