// @ts-check
import { describe } from './plain.js';

/**
 * @typedef {import('../index.d.ts').Agent} Agent
 * @typedef {import('../index.d.ts').AgentFn} AgentFn
 */

/**
 * Agents by name. A function stands for an agent that has nothing but `execute`.
 *
 * @param {Record<string, Agent | AgentFn>} [agents]
 */
export function createAgentRegistry(agents = {}) {
  if (typeof agents !== 'object' || agents === null) {
    throw new TypeError(`createAgentRegistry: agents: expected an object, found ${describe(agents)}`);
  }
  /** @type {Map<string, Agent>} a Map, because no name is found here that was not registered */
  const byName = new Map();

  /**
   * Adds an agent, or replaces the one of that name.
   *
   * @param {string} name
   * @param {Agent | AgentFn} agent
   */
  function register(name, agent) {
    if (typeof name !== 'string' || name === '') {
      throw new TypeError(`register: name: expected a string that is not empty, found ${describe(name)}`);
    }
    byName.set(name, toAgent(name, agent));
  }

  /**
   * @param {string} name
   * @returns {Agent | undefined}
   */
  function get(name) {
    return byName.get(name);
  }

  /** @returns {string[]} the names, in the order they were first registered */
  function list() {
    return [...byName.keys()];
  }

  for (const [name, agent] of Object.entries(agents)) register(name, agent);
  return { get, register, list };
}

/**
 * @param {string} name
 * @param {Agent | AgentFn} agent
 * @returns {Agent}
 */
function toAgent(name, agent) {
  if (typeof agent === 'function') return { execute: agent };
  if (typeof agent === 'object' && agent !== null && typeof agent.execute === 'function') return agent;
  throw new TypeError(
    `The agent ${describe(name)}: expected a function or an object with execute, found ${describe(agent)}`,
  );
}
