import { describe, expect, it } from 'vitest';
import type { SignedIn, SignInLink } from '../../../src/api/operations/sign-in.ts';
import type { CreatedToken } from '../../../src/api/operations/tokens.ts';
import type { Role } from '../../../src/server/tokens.ts';
import { type Api, type ApiOptions, api } from '../support/api.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type TokenOptions = Parameters<Api['token']>[1];

/** A server with a token and what its owner and a browser do. */
async function bench(role: Role = 'developer', token: TokenOptions = {}, options: ApiOptions = {}) {
  const server = await api(options);
  const bearer = (plaintext: string) => ({ as: null, headers: { authorization: `Bearer ${plaintext}` } }) as const;
  const owner = await server.token(role, { name: 'ada', ...token });
  const post = async <T>(url: string, body: unknown, plaintext: string | null) => {
    const { status, body: reply, headers } = await server.post(url, body, plaintext === null ? { as: null } : bearer(plaintext));
    return { status, headers, body: reply as unknown as T & { error: string; code: string } };
  };
  const link = (body: unknown = {}, plaintext = owner) => post<SignInLink>('/sign-in-links', body, plaintext);
  const signIn = (code: unknown) => post<SignedIn>('/sign-in', { code }, null);
  const me = (plaintext: string) => server.get('/me', bearer(plaintext));
  const code = async () => (await link()).body.code ?? '';
  const tokens = async () => (await server.get('/tokens', { as: 'operator' })).body.tokens;
  const revoke = async (name: string) => {
    const id = (await tokens()).find((row) => row.name === name)?.id;
    return server.call('DELETE', `/tokens/${id}`, { as: 'operator' });
  };
  return { ...server, owner, post, link, code, signIn, me, tokens, revoke };
}

describe('POST /sign-in-links', () => {
  it('makes a link of five minutes with 128 random bits, of which only the hash is stored', async () => {
    const { link, clock, signInLinks } = await bench().then((it) => ({ ...it, signInLinks: it.store.signInLinks }));
    const { status, body, headers } = await link();
    expect(status).toBe(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      code: expect.stringMatching(/^[0-9a-f]{32}$/),
      url: `http://localhost:7700/#/sign-in/${body.code}`,
      expires_at: new Date(clock.nowMs() + 5 * MINUTE_MS).toISOString(),
    });
    expect(await signInLinks.find(body.code ?? '')).toBeNull();
  });

  it('names the public address of the server', async () => {
    const { link } = await bench('viewer', {}, { config: { publicUrl: 'https://flows.example/jamjet/' } });
    expect((await link()).body.url).toMatch(/^https:\/\/flows\.example\/jamjet\/#\/sign-in\/[0-9a-f]{32}$/);
  });

  it('makes links that end with the token', async () => {
    const it = await api();
    const expiresAtMs = it.clock.nowMs() + MINUTE_MS;
    const headers = { authorization: `Bearer ${await it.token('viewer', { expiresAtMs })}` };
    const { body } = await it.post('/sign-in-links', undefined, { as: null, headers });
    expect(body).toMatchObject({ expires_at: new Date(expiresAtMs).toISOString() });
  });

  it.each(['2h', 'soon', '0s'])('refuses a lifetime of %s', async (expires_in) => {
    const { link } = await bench();
    const { status, body } = await link({ expires_in });
    expect([status, body.error]).toEqual([
      400,
      `bad request: expires_in must be like 90s or 5m, at most 1h, not "${expires_in}"`,
    ]);
  });

  it('refuses a token that comes from a link', async () => {
    const { link, code, signIn } = await bench();
    const { token } = (await signIn(await code())).body;
    expect(await link({}, token)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('gives the plain address when authentication is off', async () => {
    const { post } = await api({ auth: 'off' });
    const { status, body } = await post('/sign-in-links', {}, { as: null });
    expect([status, body]).toEqual([201, { code: null, url: 'http://localhost:7700/', expires_at: null }]);
  });
});

describe('POST /sign-in', () => {
  it.each(['operator', 'developer', 'reviewer', 'viewer'] as const)('gives a token with the rights of %s', async (role) => {
    const { code, signIn, me, clock } = await bench(role);
    const { status, body, headers } = await signIn(await code());
    const expires_at = new Date(clock.nowMs() + 12 * HOUR_MS).toISOString();
    const who = { tenant_id: 'default', name: 'ada (console)', role, expires_at };
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    expect(body).toMatchObject({ ...who, token: expect.stringMatching(/^jj_[0-9a-f]{64}$/) });
    expect((await me(body.token)).body).toMatchObject({ ...who, token_id: body.token_id });
  });

  it('works once, and says so', async () => {
    const { code, signIn, tokens } = await bench();
    const once = await code();
    await signIn(once);
    const again = await signIn(once);
    expect([again.status, again.body]).toEqual([
      409,
      { error: 'conflict: this sign-in link has been used; each works once', code: 'sign_in_link_used' },
    ]);
    expect((await tokens()).filter(({ parent_id }) => parent_id !== null)).toHaveLength(1);
  });

  it('works once when many try at the same time', async () => {
    const { code, signIn } = await bench();
    const once = await code();
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => signIn(once)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, ...Array(7).fill(409)]);
  });

  it('refuses a link that has expired', async () => {
    const { code, signIn, clock } = await bench();
    const late = await code();
    clock.advance(5 * MINUTE_MS);
    expect(await signIn(late)).toMatchObject({
      status: 409,
      body: { error: 'conflict: this sign-in link has expired', code: 'sign_in_link_expired' },
    });
  });

  it('refuses a link whose token is revoked', async () => {
    const { code, signIn, revoke } = await bench();
    const made = await code();
    await revoke('ada');
    expect(await signIn(made)).toMatchObject({ status: 409, body: { code: 'sign_in_link_expired' } });
  });

  it('refuses links of a tenant that is not active', async () => {
    const { code, signIn, store, clock } = await bench();
    const made = await code();
    await store.tenants.update(
      'default',
      { status: 'suspended' },
      {
        tenantId: 'default',
        atMs: clock.nowMs(),
        actorId: 'tester',
        actorType: 'human',
        request: null,
      },
    );
    expect(await signIn(made)).toMatchObject({ status: 403, body: { error: 'tenant default is suspended' } });
  });

  it.each(['', 'x', '0'.repeat(32), 'A'.repeat(32), `${'0'.repeat(32)}\n`, '../tokens', '💥'])(
    'refuses the unknown code %j',
    async (code) => {
      const { signIn } = await bench();
      const { status, body } = await signIn(code);
      expect([status, body]).toEqual([
        404,
        { error: 'not found: this sign-in link: it is incomplete, or has expired', code: 'not_found' },
      ]);
    },
  );

  it.each([
    [{}, 'code is required'],
    [{ code: 1 }, 'code must be a string'],
    [{ code: 'x'.repeat(257) }, 'code must not have more than 256 characters'],
  ])('refuses the body %j', async (body, error) => {
    const { post } = await api();
    const reply = await post('/sign-in', body, { as: null });
    expect([reply.status, reply.body.error]).toEqual([400, `bad request: ${error}`]);
  });

  it('gives a token that does not outlive the one that made the link', async () => {
    const it = await api();
    const expiresAtMs = it.clock.nowMs() + HOUR_MS;
    const headers = { authorization: `Bearer ${await it.token('viewer', { expiresAtMs })}` };
    const { code } = (await it.post('/sign-in-links', {}, { as: null, headers })).body as unknown as SignInLink;
    const { body } = await it.post('/sign-in', { code }, { as: null });
    expect(body).toMatchObject({ expires_at: new Date(expiresAtMs).toISOString() });
  });

  it('gives a token that is revoked with the one that made the link', async () => {
    const { code, signIn, me, revoke } = await bench();
    const { token } = (await signIn(await code())).body;
    expect((await me(token)).status).toBe(200);
    await revoke('ada');
    expect((await me(token)).status).toBe(401);
  });

  it('is in the audit log, by the name of the token that made the link', async () => {
    const { code, signIn, get } = await bench();
    const { token_id } = (await signIn(await code())).body;
    const { items } = (await get('/audit?event_type=token_created&actor_id=ada', { as: 'operator' })).body as unknown as {
      items: readonly unknown[];
    };
    expect(items).toMatchObject([{ actor_id: 'ada', raw_event: { token_id, name: 'ada (console)' } }]);
  });

  it('keeps names within their limit', async () => {
    const { code, signIn } = await bench('viewer', { name: 'n'.repeat(256) });
    expect((await signIn(await code())).body.name).toBe(`${'n'.repeat(246)} (console)`);
  });

  it('is refused when authentication is off', async () => {
    const { post } = await api({ auth: 'off' });
    const { status, body } = await post('/sign-in', { code: '0'.repeat(32) }, { as: null });
    expect([status, body.error]).toEqual([409, 'conflict: authentication is off: no sign-in is needed']);
  });
});

describe('POST /tokens by a session', () => {
  const MADE = { role: 'operator', name: 'made' };

  it.each([{}, { expires_in: '30d' }, { expires_at: '2999-01-01T00:00:00Z' }])(
    'makes tokens that end with the session, given %j',
    async (lifetime) => {
      const { code, signIn, post, me } = await bench('operator');
      const session = (await signIn(await code())).body;
      const { status, body } = await post<CreatedToken>('/tokens', { ...MADE, ...lifetime }, session.token);
      expect([status, body.expires_at, body.parent_id]).toEqual([201, session.expires_at, session.token_id]);
      // So do those that they make.
      const next = await post<CreatedToken>('/tokens', { ...MADE, ...lifetime }, body.token);
      expect(next.body).toMatchObject({ expires_at: session.expires_at, parent_id: body.id });
      expect((await me(next.body.token)).body).toMatchObject({ name: 'made', expires_at: session.expires_at });
    },
  );

  it('makes tokens that end before the session, if they are to', async () => {
    const { code, signIn, post, clock } = await bench('operator');
    const session = (await signIn(await code())).body;
    const { body } = await post<CreatedToken>('/tokens', { ...MADE, expires_in: '1h' }, session.token);
    expect(body.expires_at).toBe(new Date(clock.nowMs() + HOUR_MS).toISOString());
  });

  it.each(['the token of the link is revoked', 'the session signs out'])('ends them when %s', async (end) => {
    const { code, signIn, post, me, owner, revoke } = await bench('operator');
    await post('/tenants', { id: 'acme', name: 'Acme' }, owner);
    const session = (await signIn(await code())).body;
    const made = (await post<CreatedToken>('/tokens', MADE, session.token)).body.token;
    const ofAcme = (await post<CreatedToken>('/tokens', { ...MADE, tenant_id: 'acme' }, session.token)).body.token;
    const next = (await post<CreatedToken>('/tokens', MADE, made)).body.token;
    for (const token of [made, ofAcme, next]) expect((await me(token)).status).toBe(200);
    if (end === 'the session signs out') await post('/sign-out', undefined, session.token);
    else await revoke('ada');
    for (const token of [session.token, made, ofAcme, next]) expect((await me(token)).status).toBe(401);
  });

  it('makes no links by what it made', async () => {
    const { code, signIn, post, link } = await bench('operator');
    const session = (await signIn(await code())).body;
    const made = (await post<CreatedToken>('/tokens', MADE, session.token)).body.token;
    expect(await link({}, made)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('leaves the tokens that other tokens make as they are asked for', async () => {
    const { owner, post } = await bench('operator');
    expect((await post<CreatedToken>('/tokens', MADE, owner)).body).toMatchObject({ expires_at: null, parent_id: null });
  });
});

describe('POST /sign-out', () => {
  it('ends the token of the sign-in, and no other', async () => {
    const { code, signIn, me, post, owner } = await bench();
    const { token, token_id } = (await signIn(await code())).body;
    expect(await post('/sign-out', undefined, token)).toMatchObject({ status: 200, body: { id: token_id, revoked: true } });
    expect((await me(token)).status).toBe(401);
    expect((await me(owner)).status).toBe(200);
  });

  it('is refused for other tokens', async () => {
    const { post, me, owner } = await bench();
    expect(await post('/sign-out', undefined, owner)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await me(owner)).status).toBe(200);
  });
});
