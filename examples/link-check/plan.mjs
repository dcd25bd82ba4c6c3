// @ts-check
/** Lists the Markdown files of a folder, reads four at a time, and joins what was found in one report. */

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'link-check',
  concurrency: 4,
  steps: [
    { id: 'files', agent: 'lister', input: { folder: { var: 'folder' } } },
    {
      id: 'pages',
      agent: 'reader',
      forEach: { var: 'files' },
      input: { folder: { var: 'folder' }, file: { var: 'item' } },
      retry: { maxAttempts: 2, backoffMs: 100 },
      timeoutMs: 10_000,
      // A file that can't be read leaves null in its place, and the others go on.
      onError: 'continue',
    },
    {
      id: 'report',
      agent: 'reporter',
      input: {
        folder: { var: 'folder' },
        report: { var: 'report' },
        files: { var: 'files' },
        pages: { var: 'pages' },
      },
      into: 'result',
    },
  ],
};
