// Holds the write lock of a database for some milliseconds: node sqlite-holder.mjs PATH MS
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from './sqlite-driver.mjs';

const [path, ms] = process.argv.slice(2);
const database = await openDatabase(path);
database.exec('BEGIN IMMEDIATE');
console.log('locked');
await sleep(Number(ms));
database.exec('COMMIT');
database.close();
