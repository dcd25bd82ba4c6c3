/** The dashboard: the jobs are a server's. */
import { mount } from 'svelte';
import App from './App.svelte';
import { openServerSource } from './source/server';
import './theme.css';

mount(App, { target: document.body, props: { source: await openServerSource() } });
