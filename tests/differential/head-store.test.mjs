// @ts-check
import { testOver } from './worlds.mjs';

testOver('heads', 'commit and getHead');
