import { afterAll, beforeAll } from 'vitest';
import { type PostgresServer, postgresDatabase, startPostgres } from '../../support/postgres.ts';
import { storeContract } from '../contract.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

storeContract('PostgreSQL', () => postgresDatabase(() => server), { exclusive: false });
