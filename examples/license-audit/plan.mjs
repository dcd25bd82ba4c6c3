// @ts-check
/** The plan of an audit: seven steps, each with the tools it may use. */

/** Reading crates may need the network, which may be away for a moment. */
export const READ_ATTEMPTS = 3;

/**
 * Costs are counted in tool calls. What a step really cost replaces its estimate when it is done.
 *
 * @type {import('jobwright').Plan}
 */
export const plan = {
  name: 'license-audit',
  version: 1,
  steps: [
    { id: 'find', agent: 'finder', tools: ['findFiles'], cost: 1, timeoutMs: 60_000, into: 'locks' },
    {
      id: 'list',
      agent: 'lister',
      input: { locks: { var: 'locks' } },
      tools: ['readFile'],
      cost: 1,
      timeoutMs: 60_000,
      into: 'listed',
    },
    {
      id: 'read-cargo',
      agent: 'crateReader',
      input: { locks: { var: 'locks' }, packages: { var: 'listed.cargo' } },
      tools: ['runCargo'],
      cost: 1,
      retry: { maxAttempts: READ_ATTEMPTS, backoffMs: 1_000 },
      timeoutMs: 300_000,
      into: 'cargoLicences',
    },
    {
      id: 'read-npm',
      agent: 'moduleReader',
      input: { packages: { var: 'listed.npm' } },
      tools: ['readFile'],
      cost: 1,
      retry: { maxAttempts: READ_ATTEMPTS, backoffMs: 1_000 },
      timeoutMs: 300_000,
      into: 'npmLicences',
    },
    {
      id: 'judge',
      agent: 'judge',
      input: {
        cargo: { packages: { var: 'listed.cargo' }, licences: { var: 'cargoLicences' } },
        npm: { packages: { var: 'listed.npm' }, licences: { var: 'npmLicences' } },
        policy: { var: 'policy' },
      },
      timeoutMs: 60_000,
      into: 'judged',
    },
    {
      id: 'review',
      agent: 'reviewer',
      input: { judged: { var: 'judged' } },
      tools: ['signOff'],
      cost: 1,
      into: 'review',
    },
    {
      id: 'report',
      agent: 'reporter',
      input: {
        subject: { var: 'subject' },
        locks: { var: 'locks' },
        own: { var: 'listed.own' },
        judged: { var: 'judged' },
        review: { var: 'review' },
      },
      tools: ['writeReport'],
      cost: 1,
      retry: { maxAttempts: 2, backoffMs: 500 },
      timeoutMs: 60_000,
      into: 'counts',
    },
  ],
};
