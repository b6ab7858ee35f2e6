// A process that opens a database, which converts it: `node conversion-child.mjs PATH`.
import { openSqlite } from '../../dist/store/sqlite/open.js';

const store = await openSqlite({ path: process.argv[2], hmacKey: 'golden' });
await store.close();
