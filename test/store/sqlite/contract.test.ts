import { sqliteDatabase } from '../../support/stores.ts';
import { storeContract } from '../contract.ts';

storeContract('SQLite', sqliteDatabase, { exclusive: true });
