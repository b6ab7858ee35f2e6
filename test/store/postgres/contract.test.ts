import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { openPostgres } from '../../../store/postgres/open.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { storeContract } from '../contract.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

storeContract('PostgreSQL', () => {
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  let made = false;
  return {
    async open() {
      if (!made) {
        made = true;
        const client = new Client({ connectionString: server.url });
        await client.connect();
        await client.query(`CREATE DATABASE ${name}`);
        await client.end();
      }
      const store = await openPostgres({
        url: server.url.replace(/postgres$/, name),
        nowMs: () => 1_767_225_600_000,
        poolSize: 4,
      });
      onTestFinished(() => store.close());
      return store;
    },
  };
});
