import { describe, expect, it } from 'vitest';
import { api } from '../support/api.ts';

describe('GET /me', () => {
  it.each([
    ['operator', ['work', 'read', 'write', 'operator']],
    ['developer', ['work', 'read', 'write']],
    ['reviewer', ['read']],
    ['viewer', ['read']],
  ] as const)('says who the caller is and what a token with role %s may do', async (role, access) => {
    const { token, get, clock } = await api();
    const expiresAtMs = clock.nowMs() + 60_000;
    const authorization = `Bearer ${await token(role, { name: 'ada', expiresAtMs })}`;
    const { body } = await get('/me', { as: null, headers: { authorization } });
    expect(body).toEqual({
      tenant_id: 'default',
      name: 'ada',
      role,
      access: [...access],
      token_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      expires_at: new Date(expiresAtMs).toISOString(),
      auth: 'on',
    });
  });

  it('says when authentication is off', async () => {
    const { get } = await api({ auth: 'off' });
    expect((await get('/me', { as: null })).body).toEqual({
      tenant_id: 'default',
      name: 'anonymous',
      role: 'operator',
      access: ['work', 'read', 'write', 'operator'],
      token_id: null,
      expires_at: null,
      auth: 'off',
    });
  });
});
