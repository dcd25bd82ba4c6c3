// @ts-check

/** What a step does; it does one of them. */
const kinds = ['agent', 'job', 'wait', 'approve'];
/** What only makes sense where somebody works: nobody does while a step waits. */
const workKeys = ['timeoutMs', 'forEach', 'repeat'];
/** What only makes sense where it is an agent. */
const agentKeys = ['input', 'tools', 'cost', 'retry'];
/** @type {Record<string, string[]>} */
const without = {
  agent: [],
  job: agentKeys,
  wait: [...agentKeys, ...workKeys],
  approve: [...agentKeys, ...workKeys],
};

/**
 * The JSON Schema of plans, from the package's declarations: their comments are its descriptions, and their tags
 * (`@minimum`, `@default`, ...) its limits. Draft 7 is the one that all editors know.
 *
 * @param {string} declarations the file
 */
export async function planSchema(declarations) {
  // Imported late: the set-up reads this file before the packages are installed.
  const { createGenerator } = await import('ts-json-schema-generator');
  const generator = createGenerator({
    path: declarations,
    type: 'Plan',
    jsDoc: 'extended',
    additionalProperties: false,
    // The types are checked elsewhere.
    skipTypeCheck: true,
  });
  const schema = generator.createSchema('Plan');
  const step = schema.definitions?.Step;
  if (typeof step !== 'object') throw new Error(`${declarations} declares no type Step`);
  // TypeScript has no word for "exactly one of these keys" in an interface.
  step.oneOf = kinds.map((kind) => ({
    required: [kind],
    properties: {
      // Strict validators want to know a key that is required.
      [kind]: true,
      ...Object.fromEntries((without[kind] ?? []).map((key) => [key, false])),
    },
  }));
  step.not = { required: ['forEach', 'repeat'], properties: { forEach: true, repeat: true } };
  return { title: 'A plan of jobwright', ...schema };
}
