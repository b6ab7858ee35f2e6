import { describe, expect, it, onTestFinished } from 'vitest';
import { MetricsListener } from '../../../src/api/metrics/listener.ts';
import { Metrics } from '../../../src/telemetry/metrics/index.ts';
import { parsePrometheus } from '../../support/prometheus.ts';
import { type Api, type ApiOptions, api, ECHO, ECHO_TOOLS } from '../support/api.ts';

const TOKEN = 'scrape-me';
const DEFAULTS = { token: null, port: null, tenantLabel: false };

async function metered(config: ApiOptions['config'] = {}): Promise<Api> {
  return api({ metrics: { tenantLabel: false }, tools: ECHO_TOOLS, config });
}

async function get({ app }: Api, headers: Readonly<Record<string, string>> = {}) {
  const { statusCode: status, headers: replied, payload } = await app.inject({ url: '/metrics', headers });
  return { status, type: replied['content-type'], payload };
}

describe('GET /metrics', () => {
  it('is open on a loopback address, in the text format of Prometheus', async () => {
    const it = await metered();
    await it.runtime.settled('default', await it.started(ECHO));
    const { status, type, payload } = await get(it);
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const { value } = parsePrometheus(payload);
    expect(value('jamjet_executions_ended_total', { workflow: 'echo', status: 'completed' })).toBe(1);
    expect(value('jamjet_event_streams')).toBe(0);
  });

  it('refuses pages of other sites there', async () => {
    const it = await metered();
    const { status, payload } = await get(it, { host: 'rebound.example.com' });
    expect([status, JSON.parse(payload).code]).toEqual([403, 'forbidden']);
  });

  it('is closed on an address that other machines reach, and says how to open it', async () => {
    const it = await metered({ bind: '0.0.0.0' });
    const { status, payload } = await get(it);
    expect([status, JSON.parse(payload)]).toEqual([
      403,
      {
        error: 'metrics are not open on an address that other machines reach: set JAMJET_METRICS_TOKEN or JAMJET_METRICS_PORT',
        code: 'forbidden',
      },
    ]);
  });

  it('needs the token for metrics if there is one, and no other', async () => {
    const it = await metered({ bind: '0.0.0.0', metrics: { ...DEFAULTS, token: TOKEN } });
    const apiToken = await it.token('operator');
    const statuses = await Promise.all(
      [{}, { authorization: 'Bearer wrong' }, { authorization: `Bearer ${apiToken}` }, { authorization: `Bearer ${TOKEN}` }].map(
        async (headers: Record<string, string>) => (await get(it, headers)).status,
      ),
    );
    expect(statuses).toEqual([401, 401, 401, 200]);
    expect((await it.app.inject('/metrics')).headers['www-authenticate']).toBe('Bearer');
  });

  it('is not there when the metrics have a port of their own', async () => {
    const it = await metered({ metrics: { ...DEFAULTS, port: 0 } });
    expect((await get(it)).status).toBe(404);
  });
});

describe('the port of the metrics', () => {
  async function listening(token: string | null) {
    const { runtime, store } = await metered();
    const onError = (error: unknown): never => {
      throw error;
    };
    const metrics = new Metrics({ runtime, store, nowMs: Date.now, onError, tenantLabel: false, processMetrics: false });
    const config = { bind: '0.0.0.0', publicUrl: null, metrics: { ...DEFAULTS, port: 0, token } };
    const listener = new MetricsListener({ config, metrics, onError });
    onTestFinished(() => listener.close());
    const url = new URL((await listener.start()) ?? '');
    return `http://127.0.0.1:${url.port}`;
  }

  it('serves them without a token', async () => {
    const url = await listening(null);
    const reply = await fetch(`${url}/metrics`);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(parsePrometheus(await reply.text()).value('jamjet_messages_pending')).toBe(0);
  });

  it('needs the token if there is one', async () => {
    const url = await listening(TOKEN);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  });

  it('serves nothing else', async () => {
    const url = await listening(null);
    const missing = await fetch(`${url}/executions`);
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: 'not found: /executions on the port of /metrics', code: 'not_found' },
    ]);
    const posted = await fetch(`${url}/metrics`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
  });
});
