import { expect, it } from 'vitest';
import type { TokenExchange } from '../../../src/executors/oauth/delegation.ts';
import { withAccessToken } from '../../../src/executors/oauth/with-access-token.ts';
import { contextWith, workWith } from '../work.ts';

const exchange = { tokenFor: async () => ({ token: 'access-token-1', scopes: [] }) } as unknown as TokenExchange;
const oauth = { token_endpoint: 'https://id.example/token', client_id: 'a', requested_scopes: [] } as never;

it('work with an access token says what it has used so far', async () => {
  const used: unknown[] = [];
  class Metered {
    meter(read: () => unknown): () => void {
      used.push(read());
      return () => {};
    }
  }
  const context = Object.assign(new Metered(), contextWith());
  const execute = withAccessToken(
    async (_work, { meter, accessToken }) => {
      meter?.(() => ({ cost_usd: 1 }));
      return { output: accessToken?.scopes.length ?? null };
    },
    exchange,
    { oauth, vars: {} as never, scopes: [] },
  );
  expect(await execute(workWith({}), context as never)).toEqual({ output: 0 });
  expect(used).toEqual([{ cost_usd: 1 }]);
});
