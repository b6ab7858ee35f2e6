import { expect, it } from 'vitest';
import { api } from '../support/api.ts';

it('GET / leads browsers to the documentation, and tells other clients where things are', async () => {
  const { get, call } = await api();
  const browser = await call('GET', '/', { as: null, headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
  expect([browser.status, browser.headers.location]).toEqual([302, 'docs']);
  const { status, body } = await get('/', { as: null });
  expect(status).toBe(200);
  expect(body).toEqual({ name: 'jamjet', version: '0.1.1', docs: 'docs', openapi: 'openapi.json', health: 'health' });
});
