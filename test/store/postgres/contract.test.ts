import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { storeContract } from '../contract.ts';

const server = postgresServer();

storeContract('PostgreSQL', () => postgresDatabase(server), { exclusive: false });
