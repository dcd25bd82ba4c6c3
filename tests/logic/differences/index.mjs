// @ts-check
/**
 * Where jobwright's JSON Logic differs from npm's json-logic-engine on purpose. Nothing else may differ.
 *
 * In the order in which json-logic-engine is told of them: a later one calls what an earlier one replaced.
 */
import { accumulators, invalid, logging, thrown } from './errors.mjs';
import { missing, ownMembers, scopes } from './scopes.mjs';
import { conjunction, lists, truth } from './suites.mjs';
import { chains, content, cutting, finite, wholeCharacters } from './values.mjs';

export const DIFFERENCES = [
  truth,
  conjunction,
  finite,
  cutting,
  wholeCharacters,
  content,
  chains,
  ownMembers,
  missing,
  scopes,
  lists,
  thrown,
  accumulators,
  logging,
  invalid,
];
