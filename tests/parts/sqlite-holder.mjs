// Holds the write lock of a database for some milliseconds: node sqlite-holder.mjs PATH MS
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDriver } from '../../pkg-template/sqlite/driver.js';

const [path, ms] = process.argv.slice(2);
const database = (await loadDriver())(path);
database.exec('BEGIN IMMEDIATE');
console.log('locked');
await sleep(Number(ms));
database.exec('COMMIT');
database.close();
