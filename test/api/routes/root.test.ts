import { expect, it } from 'vitest';
import { VERSION } from '../../../src/server/config.ts';
import { api } from '../support/api.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

it('GET / tells clients that are no browsers where things are', async () => {
  const { get } = await api();
  const { status, body } = await get('/', { as: null });
  expect(status).toBe(200);
  expect(body).toEqual({ name: 'jamjet', version: VERSION, docs: 'docs', openapi: 'openapi.json', health: 'health' });
});

it('GET /console/:file answers 404 for what is no asset', async () => {
  const { get } = await api();
  for (const file of ['..%2findex.html', 'package.json', 'x.js', '%00.js', `${'a'.repeat(3_000)}.js`])
    expect((await get(`/console/${file}`, { as: null, headers: BROWSER })).status).toBe(404);
});
