// @ts-check
import { codeOf } from './errors.js';

/**
 * Sends statements that are planned once for each connection, which is a third of a short one's time.
 *
 * @param {string} channel begins their names, which are the connection's
 * @param {import('./connection.js').Source['query']} query
 */
export function createPrepared(channel, query) {
  let prepares = true;

  /**
   * @param {string} name
   * @param {string} text
   * @param {unknown[]} values
   */
  return async function prepared(name, text, values) {
    // Of several that are on their way, others may find out first.
    const isNamed = prepares;
    try {
      return await query(text, values, isNamed ? `${channel}_${name}` : undefined);
    } catch (error) {
      // A pooler between may give each statement another connection, on which it is not prepared, or is already.
      if (!isNamed || !['26000', '42P05'].includes(codeOf(error))) throw error;
      prepares = false;
      return query(text, values);
    }
  };
}
