import { copyToPostgres } from '../../../store/postgres/copy/target.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { openSqliteSource } from '../../../store/sqlite/copy/source.ts';
import { FakeClock } from '../../support/clock.ts';
import type { PostgresServer } from '../../support/postgres-server.ts';
import { api } from './api.ts';
import { filledServer, withClaims } from './full-server.ts';

/** A server on the full database, copied to PostgreSQL as `jamjet db copy` does. */
export async function fullPostgres(postgres: PostgresServer, clock = new FakeClock()) {
  const { server: embedded, subjects } = await filledServer(clock);
  await embedded.close();
  const nowMs = () => clock.nowMs();
  const url = await postgres.createDatabase();
  const source = await openSqliteSource({ path: embedded.path, nowMs });
  await copyToPostgres(source, { url, nowMs });
  source.close();
  const server = await api({ store: await openPostgres({ url, nowMs }), clock });
  return { url, ...(await withClaims(server, subjects)) };
}
