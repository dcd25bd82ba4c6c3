/** What the list shows; it stays while one looks at a job and comes back. */
import type { Choice } from './row';

export const choice: Choice = $state({ status: 'all', parent: 'top', search: '', order: 'newest' });
