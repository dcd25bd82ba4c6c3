/** The demo: the orchestrator itself runs in the tab. */
import { mount } from 'svelte';
import App from './App.svelte';
import { shown } from './display';
import { openTabSource } from './source/tab';
import './theme.css';

async function begin() {
  const source = await openTabSource();
  // For who opens the console: the jobs as the page has them, as in `await jobs.listJobs()`.
  Object.assign(globalThis, { jobs: source });
  mount(App, { target: document.body, props: { source, newJob: () => import('./editor/NewJob.svelte') } });
}

begin().catch((error: unknown) => {
  // Nothing else is there to say it.
  const sentence = document.createElement('p');
  sentence.setAttribute('role', 'alert');
  sentence.textContent = `The jobs of this browser could not be opened: ${shown((error as Error)?.message ?? error)}`;
  document.body.replaceChildren(sentence);
});
