import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TokenAuthenticator } from '../../../src/api/auth/authenticator.ts';
import { TokenMonitor } from '../../../src/api/auth/token-monitor.ts';
import { EventStreams } from '../../../src/api/streams/event-streams.ts';
import { KeepAlive } from '../../../src/control/live/keep-alive.ts';
import { TimeSlices } from '../../../src/runtime/scheduling/time-slices.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { eventually, openTestRuntime } from '../../support/runtimes.ts';
import { type ApiOptions, api, ECHO, ECHO_TOOLS, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { READERS } from '../support/roles.ts';

const BEAT_MS = 15_000;

/** A listening server and its streams. */
async function streaming(options: ApiOptions = {}) {
  const server = await api(options);
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const authorization = `Bearer ${await server.token('viewer')}`;
  const open = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    openEventStream(`${url}${path}`, { authorization, ...headers });
  const addTenant = (id: string) => {
    const database = new Database(server.path);
    database
      .prepare("INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms) VALUES (?, ?, 'active', 0, 0)")
      .run(id, id);
    database.close();
  };
  const pay = (id: string) => server.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: null });
  return { ...server, url, open, addTenant, pay };
}

describe('GET /executions/:id/events as a stream', () => {
  it('sends the log, then new events, and ends with the execution', async () => {
    const { open, started, pay, get } = await streaming();
    const id = await started(PAYMENT);
    const stream = await open(`/executions/${id}/events`);
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const first = await stream.next();
    expect(first).toMatchObject({ id: '1', event: 'WorkflowStarted' });
    const { events } = (await get(`/executions/${id}/events`)).body;
    for (const _ of events.slice(1)) await stream.next();
    await pay(id);
    const messages = await stream.remaining();
    const all = (await get(`/executions/${id}/events`)).body.events;
    expect(JSON.parse(first?.data ?? '')).toEqual(all[0]);
    expect(messages.slice(0, -1).map(({ data }) => JSON.parse(data))).toEqual(all.slice(events.length));
    expect(messages.at(-1)).toEqual({
      id: String(all.length),
      event: 'end',
      data: JSON.stringify({ execution_id: id, status: 'completed', sequence: all.length }),
    });
  });

  it('resumes after the last event of the client, and replies 204 if there are no more', async () => {
    const { open, started, pay } = await streaming();
    const id = await started(PAYMENT);
    await pay(id);
    const path = `/executions/${id}/events?after=1`;
    const all = await (await open(`/executions/${id}/events`)).remaining();
    expect(await (await open(path)).remaining()).toEqual(all.slice(1));
    expect(await (await open(path, { 'last-event-id': '3' })).remaining()).toEqual(all.slice(3));
    const over = await open(path, { 'last-event-id': all.at(-1)?.id ?? '' });
    expect([over.status, await over.remaining()]).toEqual([204, []]);
  });

  it('prefers the query to the header', async () => {
    const { open, started, pay, get } = await streaming();
    const id = await started(PAYMENT);
    await pay(id);
    const followed = await open(`/executions/${id}/events?follow=true`, { accept: 'application/json' });
    expect(followed.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const { body, headers } = await get(`/executions/${id}/events?follow=false`, { headers: { accept: 'text/event-stream' } });
    expect([headers['content-type'], body.events.length]).toEqual(['application/json; charset=utf-8', 5]);
    const both = await get(`/executions/${id}/events`, { headers: { accept: 'application/json, text/event-stream' } });
    expect(both.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('selects by kind in any spelling, by node, and up to a limit', async () => {
    const { open, started, pay } = await streaming();
    const id = await started(PAYMENT);
    await pay(id);
    const kinds = async (query: string) =>
      (await (await open(`/executions/${id}/events?${query}`)).remaining()).map(({ event }) => event);
    expect(await kinds('kind=WorkflowStarted')).toEqual(['WorkflowStarted', 'end']);
    expect(await kinds('kind=workflow_started,WorkflowCompleted')).toEqual(['WorkflowStarted', 'WorkflowCompleted', 'end']);
    expect(await kinds('kind=WorkflowStarted&kind=workflow_completed')).toEqual(['WorkflowStarted', 'WorkflowCompleted', 'end']);
    expect(await kinds('type=NodeCompleted&node_id=pay')).toEqual(['NodeCompleted', 'end']);
    expect(await kinds('limit=2')).toHaveLength(2);
    expect(await kinds('kind=NodeFailed')).toEqual(['end']);
  });

  it('uses the tagged form on request, with its spelling of kinds', async () => {
    const { open, started } = await streaming();
    const id = await started(PAYMENT);
    const message = await (await open(`/executions/${id}/events?format=tagged`)).next();
    expect(message?.event).toBe('workflow_started');
    expect(JSON.parse(message?.data ?? '')).toMatchObject({ kind: { type: 'workflow_started' }, kind_name: 'WorkflowStarted' });
  });

  it('refuses invalid input, unknown ids and missing tokens before it streams', async () => {
    const { open, started } = await streaming();
    const id = await started(PAYMENT);
    for (const [path, status, headers] of [
      [`/executions/${UNKNOWN_EXECUTION}/events`, 404, {}],
      ['/executions/nonsense/events', 404, {}],
      [`/executions/${id}/events?kind=nonsense`, 400, {}],
      [`/executions/${id}/events?kind=`, 400, {}],
      [`/executions/${id}/events?kind=NodeFailed,`, 400, {}],
      [`/executions/${id}/events?follow=maybe`, 400, {}],
      [`/executions/${id}/events`, 400, { 'last-event-id': 'x' }],
      [`/executions/${id}/events`, 401, { authorization: '' }],
    ] as const) {
      const stream = await open(path, headers);
      expect([path, stream.status]).toEqual([path, status]);
      expect(stream.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  it('is open to every role of its tenant, and to no other tenant', async () => {
    const { open, started, pay, token, addTenant } = await streaming();
    addTenant('acme');
    const id = await started(PAYMENT);
    await pay(id);
    for (const role of READERS) {
      const own = { authorization: `Bearer ${await token(role)}` };
      expect((await open(`/executions/${id}/events`, own)).status).toBe(200);
      const foreign = { authorization: `Bearer ${await token(role, { tenantId: 'acme' })}` };
      expect((await open(`/executions/${id}/events`, foreign)).status).toBe(404);
    }
  });

  it('delivers everything in order to a slow reader', async () => {
    const { open, started, post, pay } = await streaming();
    const id = await started(PAYMENT);
    const payload = 'x'.repeat(200_000);
    const stream = await open(`/executions/${id}/events`);
    for (let i = 0; i < 20; i += 1) await post(`/executions/${id}/external-event`, { correlation_key: 'k', payload });
    await pay(id);
    const messages = await stream.remaining();
    const sequences = messages.slice(0, -1).map((message) => Number(message.id));
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
    expect(messages.filter(({ event }) => event === 'ExternalEventReceived')).toHaveLength(21);
  });

  it('sends keep-alive comments, from one timer for all streams', async () => {
    const { open, started, clock } = await streaming();
    const id = await started(REVIEW);
    const streams = await Promise.all([1, 2, 3].map(() => open(`/executions/${id}/events`)));
    const waiting = streams.map((stream) => stream.remaining());
    await eventually(() => streams.every((stream) => stream.chunks() > 0));
    const before = streams.map((stream) => stream.chunks());
    clock.advance(BEAT_MS);
    await eventually(() => streams.every((stream, i) => stream.chunks() > (before[i] ?? 0)));
    for (const stream of streams) stream.disconnect();
    await Promise.allSettled(waiting);
  });

  it.each(['/events/stream', 'the execution'])(
    'ends at once when the token is revoked or expires, or the tenant is suspended: %s',
    async (which) => {
      const { open, started, token, call, get, clock, addTenant } = await streaming();
      addTenant('acme');
      const id = await started(REVIEW);
      const url = which === 'the execution' ? `/executions/${id}/events?follow=true` : which;
      const by = (plaintext: string) => ({ authorization: `Bearer ${plaintext}` });
      const leaked = by(await token('viewer', { name: 'leaked' }));
      const revoked = [await open(url, leaked), await open(url, leaked)];
      const expires = await open(url, by(await token('viewer', { expiresAtMs: clock.nowMs() + 50 })));
      const suspended = await open('/events/stream', by(await token('viewer', { tenantId: 'acme' })));
      const stays = await open('/events/stream');
      const { tokens } = (await get('/tokens', { as: 'operator' })).body;
      await call('DELETE', `/tokens/${tokens.find(({ name }) => name === 'leaked')?.id}`, { as: 'operator' });
      await call('PUT', '/tenants/acme', { as: 'operator', body: { status: 'suspended' } });
      // The clock is stopped: there is no keep-alive.
      for (const stream of [...revoked, expires, suspended])
        expect((await stream.remaining()).some(({ event }) => event === 'end')).toBe(false);
      await started(PAYMENT);
      expect((await stays.next())?.event).toBe('WorkflowStarted');
    },
  );

  it('ends at the next keep-alive after the token is revoked or expires, or the tenant is suspended', async () => {
    const { open, started, token, call, get, clock, path } = await streaming();
    const id = await started(REVIEW);
    const revoked = await open(`/executions/${id}/events`, {
      authorization: `Bearer ${await token('viewer', { name: 'leaked' })}`,
    });
    const expiring = { authorization: `Bearer ${await token('viewer', { expiresAtMs: clock.nowMs() + BEAT_MS })}` };
    const expires = await open(`/executions/${id}/events`, expiring);
    const suspended = await open('/events/stream', {});
    const { tokens } = (await get('/tokens', { as: 'operator' })).body;
    await call('DELETE', `/tokens/${tokens.find(({ name }) => name === 'leaked')?.id}`, { as: 'operator' });
    clock.advance(BEAT_MS);
    expect((await revoked.remaining()).some(({ event }) => event === 'end')).toBe(false);
    await expires.remaining();
    const database = new Database(path);
    database.prepare("UPDATE tenants SET status = 'suspended'").run();
    database.close();
    clock.advance(BEAT_MS);
    await suspended.remaining();
  });

  it('disconnects a client that reads nothing for a minute', async () => {
    const { app, started, post, url, token, clock } = await streaming();
    const id = await started(PAYMENT);
    for (let i = 0; i < 20; i += 1) {
      await post(`/executions/${id}/external-event`, { correlation_key: 'k', payload: 'x'.repeat(1_900_000) });
    }
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).pause();
    onTestFinished(() => void socket.destroy());
    socket.write(
      `GET /executions/${id}/events?follow=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await token('viewer')}\r\n\r\n`,
    );
    const connections = () => promisify(app.server.getConnections).call(app.server);
    await eventually(async () => (await connections()) === 1);
    await eventually(async () => {
      clock.advance(BEAT_MS);
      return (await connections()) === 0;
    });
  });

  it('ends when the server closes', async () => {
    const { open, started, app } = await streaming();
    const stream = await open(`/executions/${await started(REVIEW)}/events`);
    const tenant = await open('/events/stream');
    const rest = stream.remaining();
    await app.close();
    expect((await rest).some(({ event }) => event === 'end')).toBe(false);
    expect(await tenant.remaining()).toEqual([]);
  });

  it('is not streamed for HEAD', async () => {
    const { started, call } = await streaming();
    const id = await started(REVIEW);
    expect((await call('HEAD', `/executions/${id}/events?follow=true`)).status).toBe(200);
    expect((await call('HEAD', '/events/stream')).status).toBe(405);
  });
});

describe('GET /executions/:id/events with several kinds', () => {
  it('lists those, up to a limit', async () => {
    const { started, get, pay } = await streaming();
    const id = await started(PAYMENT);
    await pay(id);
    const kinds = async (query: string) => (await get(`/executions/${id}/events?${query}`)).body.events.map(({ kind }) => kind);
    expect(await kinds('kind=WorkflowStarted,WorkflowCompleted')).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect(await kinds('kind=WorkflowStarted&type=workflow_completed&limit=1')).toEqual(['WorkflowStarted']);
    expect(await kinds('kind=WorkflowStarted,WorkflowCompleted&after=1')).toEqual(['WorkflowCompleted']);
  });
});

describe('event streams', () => {
  it('are written by turns for the tenants, a limited number in one turn of the event loop', async () => {
    const { store, clock } = await openTestRuntime();
    const nowMs = () => clock.nowMs();
    const tokenMonitor = new TokenMonitor(new TokenAuthenticator(store, nowMs), nowMs);
    const streams = new EventStreams(new KeepAlive(clock), tokenMonitor, new TimeSlices(clock));
    const order: string[] = [];
    const write = async (tenantId: string) => {
      await streams.turns(tenantId)();
      order.push(tenantId);
    };
    const written = [...Array.from({ length: 500 }, () => write('many')), write('few')];
    // What is written at once, and in the turn that follows. The tenant that writes little does not wait.
    await setImmediate();
    expect(order.length).toBeLessThanOrEqual(201);
    for (let before = order.length; order.length < written.length; before = order.length) {
      await setImmediate();
      expect(order.length - before).toBeLessThanOrEqual(100);
    }
    await Promise.all(written);
    expect(order).toHaveLength(501);
    expect(order.indexOf('few')).toBeLessThanOrEqual(101);
  });
});

describe('GET /events/stream', () => {
  it('sends the events of the tenant from now on, with their workflow', async () => {
    const { open, started, pay } = await streaming({ tools: ECHO_TOOLS });
    const early = await started(PAYMENT);
    const stream = await open('/events/stream');
    await pay(early);
    const echo = await started(ECHO);
    const seen: { readonly kind: string; readonly execution_id: string; readonly workflow_id: string }[] = [];
    for (let ends = 0; ends < 2; ) {
      const message = await stream.next();
      const event = JSON.parse(message?.data ?? '{}');
      seen.push(event);
      expect(message?.event).toBe(event.kind);
      if (event.kind === 'WorkflowCompleted') ends += 1;
    }
    const of = (id: string) => seen.filter(({ execution_id }) => execution_id === id);
    expect(of(early).map(({ kind }) => kind)).toEqual(['ExternalEventReceived', 'NodeCompleted', 'WorkflowCompleted']);
    expect(new Set(of(early).map(({ workflow_id }) => workflow_id))).toEqual(new Set(['payment']));
    expect(of(echo)[0]).toMatchObject({ kind: 'WorkflowStarted', workflow_id: 'echo' });
  });

  it('resumes without loss, from its beginning and from every event', async () => {
    const { open, started } = await streaming();
    const first = await open('/events/stream');
    await started(REVIEW);
    const one = await first.next();
    const two = await first.next();
    first.disconnect();
    const [begin] = first.bareIds;
    const again = await open('/events/stream', { 'last-event-id': begin ?? '' });
    expect((await again.next())?.data).toBe(one?.data);
    expect((await again.next())?.data).toBe(two?.data);
    const later = await open(`/events/stream?after=${one?.id}`);
    expect((await later.next())?.data).toBe(two?.data);
    const both = await open(`/events/stream?after=${begin}`, { 'last-event-id': one?.id ?? '' });
    expect((await both.next())?.data).toBe(two?.data);
  });

  it('leaves out the data of events in a brief stream, which resumes without loss as well', async () => {
    const { open, started, pay } = await streaming();
    const whole = await open('/events/stream');
    const brief = await open('/events/stream?brief=true');
    const id = await started(PAYMENT);
    await pay(id);
    const events: Record<string, unknown>[] = [];
    const outlines: { readonly id: string; readonly data: Record<string, unknown> }[] = [];
    do events.push(JSON.parse((await whole.next())?.data ?? '{}'));
    while (events.at(-1)?.kind !== 'WorkflowCompleted');
    for (const _ of events) {
      const message = await brief.next();
      outlines.push({ id: message?.id ?? '', data: JSON.parse(message?.data ?? '{}') });
    }
    const fields = ['execution_id', 'workflow_id', 'sequence', 'kind', 'type', 'node_id', 'created_at'];
    expect(outlines.map(({ data }) => data)).toEqual(
      events.map((event) => Object.fromEntries(fields.map((field) => [field, event[field]]))),
    );
    brief.disconnect();
    for (const [at, { id: last }] of outlines.slice(0, -1).entries()) {
      const again = await open('/events/stream?brief=true', { 'last-event-id': last });
      expect(JSON.parse((await again.next())?.data ?? '{}')).toEqual(outlines[at + 1]?.data);
      again.disconnect();
    }
  });

  it('leaves out damaged events, and goes on', async () => {
    const { open, started, path, errors } = await streaming();
    const first = await open('/events/stream');
    const early = await started(REVIEW);
    await first.next();
    first.disconnect();
    const [begin = ''] = first.bareIds;
    const damaged = await started(PAYMENT);
    const database = new Database(path);
    database.prepare("UPDATE log_entries SET body = char(10) || 'A' || char(9) || '{' WHERE log_id = 2").run();
    database.close();
    const sound = await started(REVIEW);
    const again = await open('/events/stream?kind=WorkflowStarted', { 'last-event-id': begin });
    const [one, two] = [await again.next(), await again.next()].map((message) => JSON.parse(message?.data ?? '{}').execution_id);
    expect([one, two]).toEqual([early, sound]);
    expect(errors.map(String).join()).toContain(damaged);
  });

  it('selects by kind and workflow', async () => {
    const { open, started, pay } = await streaming({ tools: ECHO_TOOLS });
    const stream = await open('/events/stream?kind=WorkflowStarted,workflow_completed&workflow_id=payment');
    await started(ECHO);
    await pay(await started(PAYMENT));
    const [a, b] = [await stream.next(), await stream.next()];
    expect([a?.event, b?.event]).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect(JSON.parse(b?.data ?? '')).toMatchObject({ workflow_id: 'payment' });
  });

  it('refuses unknown kinds and invalid positions, those of another tenant included', async () => {
    const { open, token, addTenant } = await streaming();
    addTenant('acme');
    const stream = await open('/events/stream');
    stream.next().catch(() => undefined);
    await eventually(() => stream.bareIds.length > 0);
    const [mark = ''] = stream.bareIds;
    const foreign = { authorization: `Bearer ${await token('operator', { tenantId: 'acme' })}` };
    expect((await open(`/events/stream?after=${mark}`)).status).toBe(200);
    expect((await open(`/events/stream?after=${mark}`, foreign)).status).toBe(400);
    for (const query of [
      'after=x',
      'after=',
      'after=0.1',
      'kind=nonsense',
      `after=${mark.slice(0, -2)}`,
      `after=${'A'.repeat(80)}`,
    ]) {
      expect([query, (await open(`/events/stream?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await open('/events/stream', { authorization: '' })).status).toBe(401);
  });

  it('sends tenants nothing of each other, and is not woken by other tenants', async () => {
    const { open, token, addTenant, started, url } = await streaming();
    addTenant('acme');
    const authorization = { authorization: `Bearer ${await token('developer', { tenantId: 'acme' })}` };
    const foreign = await open('/events/stream', authorization);
    const own = await open('/events/stream');
    for (let i = 0; i < 5; i += 1) await started(REVIEW);
    for (let i = 0; i < 10; i += 1) await own.next();
    const post = (path: string, body: object) =>
      fetch(`${url}${path}`, { method: 'POST', headers: authorization, body: JSON.stringify(body) });
    await post('/workflows', { ir: PAYMENT });
    await post('/executions', { workflow_id: 'payment' });
    expect(JSON.parse((await foreign.next())?.data ?? '')).toMatchObject({ kind: 'WorkflowStarted', workflow_id: 'payment' });
  });

  it.each(READERS)('is open to a token of role %s', async (role) => {
    const { open, token } = await streaming();
    expect((await open('/events/stream', { authorization: `Bearer ${await token(role)}` })).status).toBe(200);
  });
});
