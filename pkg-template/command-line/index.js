#!/usr/bin/env node
// @ts-check
/** The command `jobwright`. What each of its commands does is in commands/; docs/command-line.md describes them. */
import { main } from './program.js';

await main(process);
