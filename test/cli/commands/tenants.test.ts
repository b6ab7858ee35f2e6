import { describe, expect, it } from 'vitest';
import { JamjetClient } from '../../../src/client/index.ts';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

const jamjet = (...args: string[]) => server().jamjet(['tenants', ...args]).ended;

describe('jamjet tenants', () => {
  it('create, get and update', async () => {
    const created = await jamjet(
      'create',
      'acme',
      '--name',
      'Acme Corp',
      '--limits',
      '{"max_workflows": 10, "retention_days": 30}',
    );
    expect(created).toMatchObject({ code: 0, stdout: '✓ created acme\n' });
    expect(created.stderr).toContain('jamjet token create --tenant acme --role operator');

    const got = await jamjet('get', 'acme');
    expect(got.stdout).toMatch(
      /^tenant +acme\nname +Acme Corp\nstatus +active\nlimits +workflows 10, days kept 30\npolicy +none\n/,
    );
    expect(got.stdout).toMatch(/executions +0 live\nworkflows +0\nused +0 tokens, 0 USD in \d{4}-\d\d\n/);

    const updated = await jamjet(
      'update',
      'acme',
      '--status',
      'suspended',
      '--limits',
      'null',
      '--policy',
      '{"blocked_tools":["x"]}',
    );
    expect(updated.code).toBe(0);
    expect(updated.stdout).toMatch(/status +suspended\nlimits +none\npolicy +\{"blocked_tools":\["x"\]\}\n/);
    const { stdout } = await jamjet('get', 'acme', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id: 'acme', status: 'suspended', policy: { blocked_tools: ['x'] } });
  });

  it('list', async () => {
    await jamjet('create', 'beta', '--limits', '{"max_tokens_per_month": 1000000, "max_cost_per_month_usd": 12.5}');
    const { code, stdout } = await jamjet('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^TENANT +NAME +STATUS +CHANGED +LIMITS\n/);
    expect(stdout).toMatch(/\nbeta +beta +active +.+ +tokens\/month 1,000,000, USD\/month 12\.5\n/);
    const { tenants } = JSON.parse((await jamjet('list', '--json')).stdout) as { tenants: { id: string }[] };
    expect(tenants.map(({ id }) => id)).toContain('default');
  });

  it('list --watch prints the list on every change, until Ctrl-C', async () => {
    const session = server().jamjet(['tenants', 'list', '--watch', '--json']);
    await session.shows('"id":"default"');
    await server().client.tenants.create({ id: 'gamma', name: 'Gamma' });
    await session.shows('"id":"gamma"');
    session.signals.emit('SIGINT');
    const { code, stdout } = await session.ended;
    expect(code).toBe(130);
    const lists = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { tenants: { id: string }[] });
    expect(lists).toHaveLength(2);
  });

  it('list --watch redraws on a terminal', async () => {
    const session = server().jamjet(['tenants', 'list', '--watch'], { tty: true });
    await session.shows('default');
    await server().client.tenants.create({ id: 'delta', name: 'Delta' });
    await session.shows('delta');
    session.signals.emit('SIGINT');
    const { stdout } = await session.ended;
    expect(stdout.split('\u001b[2J').length).toBeGreaterThan(2);
  });

  it('correct a month, which the audit log records', async () => {
    await server().client.tenants.create({ id: 'metered', name: 'Metered' });
    const correct = ['correct', 'metered', '--month', '2026-03', '--reason', 'a faulty agent'];
    expect(await jamjet(...correct, '--tokens', '70', '--cost-usd', '1.5')).toMatchObject({
      code: 0,
      stdout: '✓ metered in 2026-03: 0 tokens, 0 USD → 70 tokens, 1.5 USD\n',
    });
    expect((await jamjet(...correct, '--cost-usd', '0')).stdout).toContain('70 tokens, 1.5 USD → 70 tokens, 0 USD');
    const { items } = await server().client.audit.list({ event_type: 'tenant_usage_corrected' });
    expect(items[0]?.raw_event).toMatchObject({
      tenant_id: 'metered',
      month: '2026-03',
      reason: 'a faulty agent',
      from: { tokens: 70, cost_usd: 1.5 },
      to: { tokens: 70, cost_usd: 0 },
    });
    expect((await jamjet(...correct)).stderr).toContain('nothing to correct');
    expect((await jamjet('correct', 'metered', '--month', '2026-13', '--reason', 'x', '--tokens', '1')).stderr).toContain(
      'month must be like 2026-03, not "2026-13"',
    );
  });

  it('limit what a tenant stores, and count it anew', async () => {
    await jamjet('create', 'storing', '--limits', '{"max_storage_bytes": 1500000}');
    expect((await jamjet('list')).stdout).toMatch(/\nstoring .+ storage 1\.4 MiB\n/);
    expect((await jamjet('get', 'storing')).stdout).toMatch(
      /\nlimits +storage 1\.4 MiB\n(.+\n)+storage +(0 B|not counted yet \(being counted\))\n/,
    );
    expect(await jamjet('recount', 'storing')).toMatchObject({
      code: 0,
      stdout: '✓ what storing stores is being counted anew\n',
    });
    expect((await jamjet('recount', 'default')).stderr).toContain(
      'the storage of tenant default is not counted: it has no limit max_storage_bytes',
    );
  });

  it.each([
    [['get', 'unknown'], 1, 'error: not found: tenant unknown\n`jamjet tenants list` lists the tenants.\n'],
    [['update', 'unknown', '--name', 'N'], 1, 'error: not found: tenant unknown\n`jamjet tenants list` lists the tenants.\n'],
    [
      ['create', 'a b'],
      1,
      'error: invalid tenant id "a b": use at most 128 letters, digits, ".", "_" and "-", starting with a letter or digit\n',
    ],
    [['create', 'default'], 1, 'error: tenant default exists already\n'],
    [['update', 'default'], 2, 'error: nothing to change: give --name, --status, --policy or --limits\n'],
    [['update', 'default', '--status', 'closed'], 2, 'error: --status "closed" is not one of active, suspended, archived\n'],
  ])('%j prints one line and a hint', async (args, code, stderr) => {
    expect(await jamjet(...args)).toEqual({ code, stdout: '', stderr });
  });

  it('report a missing role, and the role that is required', async () => {
    const { token } = await server().client.createToken({ role: 'developer' });
    const { stderr } = await server().jamjet(['tenants', 'list'], { env: { JAMJET_TOKEN: token } }).ended;
    expect(stderr).toBe(
      'error: insufficient role — operator required\nUse a token with the role operator: `jamjet token create --role operator`.\n',
    );
    const viewer = await server().client.createToken({ role: 'viewer' });
    const refused = await server().jamjet(['cron', 'pause', 'nightly'], { env: { JAMJET_TOKEN: viewer.token } }).ended;
    expect(refused.stderr).toContain('the role developer: `jamjet token create --role developer`.');
    expect(await new JamjetClient({ url: server().url, token }).health()).toMatchObject({ status: 'ok' });
  });
});
