import { describe, expect, it } from 'vitest';
import { CpuClock } from '../support/clock.ts';
import { fullServer } from './support/full-server.ts';
import { slowRequests } from './support/slow-requests.ts';

describe('a request of 64 KB', () => {
  it('holds the event loop for a moment only, whatever its route and its content', async () => {
    expect(await slowRequests(await fullServer(new CpuClock()))).toEqual({ slow: [], failed: [], refused: [] });
  });
});
