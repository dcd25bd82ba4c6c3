import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** `--mode demo`: static files, the package among them. `--mode dashboard`: the server has the package beside the page. */
export default defineConfig(({ mode }) => ({
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    outDir: `../.cache/page/${mode}`,
    emptyOutDir: true,
    license: { fileName: 'licences.json' },
    rolldownOptions: {
      input: mode === 'demo' ? 'index.html' : 'dashboard.html',
      ...(mode === 'dashboard' && {
        external: ['jobwright'],
        output: { paths: { jobwright: '../jobwright/index.js' } },
      }),
    },
  },
}));
