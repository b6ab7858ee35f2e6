import { describe, expect, it } from 'vitest';
import { CpuClock } from '../support/clock.ts';
import { postgresServer } from '../support/postgres.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { fullPostgres } from './support/full-postgres.ts';
import { slowRequests } from './support/slow-requests.ts';

const postgres = postgresServer();

describe.runIf(TRIES_ALL)('a request of 64 KB on PostgreSQL', () => {
  it('holds the event loop for a moment only, whatever its route and its content', { timeout: 1_200_000 }, async () => {
    expect(await slowRequests(await fullPostgres(postgres(), new CpuClock()))).toEqual({ slow: [], failed: [], refused: [] });
  });
});
