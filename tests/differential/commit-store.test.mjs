// @ts-check
import { testOver } from './worlds.mjs';

testOver('commits', 'commit');
