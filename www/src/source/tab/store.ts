/** The tab's store: IndexedDB, which all tabs of the site share; what is written in either is told here. */
import { createMemoryStore, type JobHead, type JobStore, type StoreNotice } from 'jobwright';
import { createIndexedDbStore } from 'jobwright/indexeddb';
import type { Change } from '../source';

type Store = Required<JobStore>;

export interface TabStore {
  store: Store;
  /** Are the jobs there after a reload? */
  isKept: boolean;
  /** Tells what this tab and others write, until the function that it answers is called. */
  listen(listener: (change: Change) => void): () => void;
}

export async function openTabStore(name: string): Promise<TabStore> {
  const { inner, isKept } = await openInner(name);
  const listeners = new Set<(change: Change) => void>();
  const tell = (change: Change) => {
    for (const listener of [...listeners]) listener(change);
  };
  const tellHead = ({ id, parentId, status, run }: JobHead) =>
    tell({
      type: 'job',
      jobId: id,
      status,
      revision: run?.revision ?? 0,
      ...(parentId !== undefined && { parentId }),
    });
  const store: Store = {
    ...inner,
    commit: async (change) => {
      await inner.commit(change);
      tellHead(change.head);
    },
    saveJob: async (job) => {
      await inner.saveJob(job);
      tellHead(job);
    },
    setControl: async (control) => {
      await inner.setControl(control);
      tell({ type: 'control', paused: control.paused });
    },
  };
  await inner.watch((notice: StoreNotice) => void tellNotice(notice, inner, tell));
  return {
    store,
    isKept,
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

async function openInner(name: string): Promise<{ inner: Store; isKept: boolean }> {
  try {
    return { inner: (await createIndexedDbStore({ name })) as Store, isKept: true };
  } catch (error) {
    // Private windows and sandboxed frames have none; the demo works there too, as long as it is open.
    if ((error as { code?: string }).code !== 'unsupported') throw error;
    return { inner: createMemoryStore(), isKept: false };
  }
}

async function tellNotice(notice: StoreNotice, store: Store, tell: (change: Change) => void) {
  if (notice.type !== 'control') return tell(notice);
  try {
    tell({ type: 'control', paused: (await store.getControl())?.paused === true });
  } catch {
    tell({ type: 'missed' });
  }
}
