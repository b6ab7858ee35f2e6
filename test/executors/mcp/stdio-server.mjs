import { appendFileSync } from 'node:fs';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { testServer } from './test-server.mjs';

/** The test server on standard streams. Writes what happens to the file that it is given. */
const [file] = process.argv.slice(2);
const report = (line) => file !== undefined && appendFileSync(file, `${line}\n`);
report('started');
await testServer(report).connect(new StdioServerTransport());
