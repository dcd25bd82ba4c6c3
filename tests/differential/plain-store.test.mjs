// @ts-check
import { testOver } from './worlds.mjs';

testOver('plain', 'getJob and saveJob');
