/** What time it is, for ages and durations: once a second, as long as somebody looks. */
import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

export function now(): number {
  subscribe();
  return Date.now();
}
