// @ts-check
/** Lists the pages of a folder, gives each a child job that reads it and checks its links, and joins what they found. */

/** Both steps write `page`, so that a child ends with what was found, and not with all that it read. @type {import('jobwright').Plan} */
const check = {
  name: 'page',
  steps: [
    {
      id: 'read',
      agent: 'reader',
      input: { folder: { var: 'folder' }, file: { var: 'file' } },
      retry: { maxAttempts: 3, backoffMs: 100 },
      timeoutMs: 10_000,
      into: 'page',
    },
    {
      id: 'check',
      agent: 'checker',
      input: { folder: { var: 'folder' }, file: { var: 'file' }, links: { var: 'page.links' } },
      retry: { maxAttempts: 3, backoffMs: 100 },
      timeoutMs: 10_000,
      into: 'page',
    },
  ],
};

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'link-check',
  concurrency: 8,
  steps: [
    { id: 'files', agent: 'lister', input: { folder: { var: 'folder' } } },
    {
      id: 'pages',
      forEach: { var: 'files' },
      job: { plan: check, context: { folder: { var: 'folder' }, file: { var: 'item' } } },
      // A page that can't be read leaves null in its place, and the others go on.
      onError: 'continue',
    },
    {
      id: 'report',
      agent: 'reporter',
      input: { report: { var: 'report' }, files: { var: 'files' }, children: { var: 'pages' } },
      into: 'result',
    },
  ],
};
