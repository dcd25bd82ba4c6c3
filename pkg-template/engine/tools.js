// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';
import { core } from './core.js';
import { checkSchema } from './schema.js';

/**
 * The one way from an agent to a tool.
 *
 * @param {import('./attempt.js').Attempt} attempt
 * @param {import('./agent-context.js').AgentContext} context
 * @param {string} name
 * @param {unknown} args
 */
export async function callTool(attempt, context, name, args) {
  checkGranted(attempt, name);
  const tool = toolNamed(attempt.engine, name);
  const schema = tool.inputSchema;
  const problem = (/** @type {string} */ what) =>
    invalidArgument(`The arguments of tool ${describe(name)} do not fit its schema: ${what}`);
  const checked = schema === undefined ? args : await checkSchema(schema, args, problem);
  if (await needsApproval(tool, checked, context)) passApproved(attempt, name, checked);
  // A signal that fired while the call was being checked stops it here.
  if (attempt.aborted !== null) throw attempt.aborted;
  return typeof tool === 'function' ? tool(checked, context) : tool.execute(checked, context);
}

/**
 * @param {import('./attempt.js').Attempt} attempt
 * @param {string} name
 */
function checkGranted(attempt, name) {
  const { slot, step } = attempt;
  if (attempt.aborted !== null) throw attempt.aborted;
  if (attempt.ended) {
    throw new JobwrightError(`Tool ${describe(name)} is denied: the attempt that calls it has ended`, {
      code: 'tools_denied',
    });
  }
  const jobAllows = (slot.record ?? attempt.record).permissions?.allowTools === true;
  const stepGrants = step.tools?.includes(name) === true;
  if (core.may_call_tool(jobAllows, stepGrants)) return;
  const why = jobAllows ? `step ${describe(step.id)} does not grant it` : 'the job does not allow tools';
  throw new JobwrightError(`Tool ${describe(name)} is denied: ${why}`, { code: 'tools_denied' });
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} name
 * @returns {any}
 */
function toolNamed({ tools }, name) {
  const tool = tools !== null && Object.hasOwn(tools, name) ? tools[name] : undefined;
  if (typeof tool === 'function' || typeof tool?.execute === 'function') return tool;
  const known = tools === null ? [] : Object.keys(tools);
  const message = `Unknown tool ${describe(name)}; known tools: ${known.length === 0 ? 'none' : known.join(', ')}`;
  throw invalidArgument(message);
}

/**
 * @param {any} tool
 * @param {unknown} args
 * @param {import('./agent-context.js').AgentContext} context
 */
async function needsApproval(tool, args, context) {
  const { needsApproval: asks } = tool;
  return typeof asks === 'function' ? (await asks(args, context)) !== false : asks === true;
}

/**
 * A call that a person approved passes once; any other ends the attempt and asks.
 *
 * @param {import('./attempt.js').Attempt} attempt
 * @param {string} tool
 * @param {unknown} args
 */
function passApproved(attempt, tool, args) {
  const copy = plainCopy(args, `arguments of tool ${describe(tool)}`) ?? null;
  const wanted = canonical(copy);
  const grant = attempt.grants.findIndex((given) => given.tool === tool && canonical(given.args) === wanted);
  if (grant >= 0) {
    attempt.grants.splice(grant, 1);
    return;
  }
  const error = new JobwrightError(`Tool ${describe(tool)} needs a person's approval`, {
    code: 'approval_required',
  });
  attempt.requestApproval(tool, copy, error);
  throw error;
}

/**
 * JSON in which the order of keys says nothing.
 *
 * @param {unknown} value
 */
function canonical(value) {
  return JSON.stringify(value, (_, part) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    // Within an object again, so that no array looks the same.
    return { '': Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)) };
  });
}
