import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CARD, card, skilled } from '../../api/support/agents.ts';
import { webServer } from '../../executors/web-server.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer({}, { JAMJET_ALLOW_PRIVATE_ADDRESSES: '1' });

function jamjet(line: string, options?: { stdin?: string }) {
  return server().jamjet(line, options).ended;
}

async function registered(given: object): Promise<void> {
  const { code, stderr } = await jamjet('agents register -', { stdin: JSON.stringify(given) });
  expect([code, stderr]).toEqual([0, expect.anything()]);
}

describe('jamjet agents register', () => {
  it('registers a card from a file, and prints how to activate it', async () => {
    writeFileSync(join(server().folder, 'card.json'), JSON.stringify(CARD));
    expect(await jamjet('agents register card.json')).toEqual({
      code: 0,
      stdout: '✓ research-agent registered  http://localhost:7701\n',
      stderr: '  Activate it with: jamjet agents activate research-agent\n',
    });
  });

  it('registers a card from standard input, and prints JSON', async () => {
    const { code, stdout } = await jamjet('agents register - --json', { stdin: JSON.stringify(card('piped')) });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { agent_id: 'piped', status: 'registered' }]);
  });

  it.each([
    ['agents register none.json', undefined, 2, /^error: CARD @none\.json: no such file\n/],
    ['agents register -', '{', 2, /^error: CARD is not JSON \(standard input\): /],
    ['agents register -', '[]', 2, /^error: - is not an agent card: a card is a JSON object\n/],
    ['agents register -', '{}', 1, /^error: id is required\n/],
  ])('%s rejects %j', async (line, stdin, code, error) => {
    const ended = await jamjet(line, stdin === undefined ? {} : { stdin });
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(error);
  });
});

describe('jamjet agents list', () => {
  it('shows a table, newest first', async () => {
    await registered(skilled('planner', 'plan', 'write'));
    const { code, stdout } = await jamjet('agents list --limit 1');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^AGENT +NAME +STATUS +SKILLS +PROTOCOLS +HEARTBEAT +ADDRESS\nplanner +planner +registered +plan, write +a2a +http:\/\/localhost:7701\n$/,
    );
  });

  it('filters, and prints the reply of the API as JSON', async () => {
    await registered(skilled('rare', 'rare-skill'));
    const { stdout } = await jamjet('agents list --skill rare-skill --protocol a2a --status registered --json');
    expect(JSON.parse(stdout)).toMatchObject({ agents: [{ id: 'rare' }], limit: 100, offset: 0 });
    expect(await jamjet('agents list --skill none')).toEqual({ code: 0, stdout: '', stderr: 'no agents\n' });
    expect(await jamjet('agents list --status asleep')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not one of'),
    });
  });

  it('with --watch in a pipe, prints once per change until it is interrupted', async () => {
    await registered(skilled('watched', 'watching'));
    const session = server().jamjet('agents list --skill watching --watch');
    await session.shows(/watched +watched +registered/);
    await server().client.agents.heartbeat('watched');
    await server().client.agents.activate('watched');
    await session.shows(/watched +watched +active/);
    session.signals.emit('SIGINT');
    const { code, stdout } = await session.ended;
    expect(code).toBe(130);
    expect(stdout.match(/^AGENT/gm)).toHaveLength(2);
  });

  it('with --watch on a terminal, redraws the screen', async () => {
    await registered(skilled('drawn', 'drawing'));
    const session = server().jamjet('agents list --skill drawing --watch', { tty: true });
    await session.shows(/drawn +drawn +registered/);
    await server().client.agents.activate('drawn');
    await session.shows(/drawn +drawn +active/);
    session.signals.emit('SIGINT');
    const { code, stdout } = await session.ended;
    expect(code).toBe(130);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: matches escape sequences
    expect(stdout.match(/\u001b\[H\u001b\[2J/g)).toHaveLength(2);
  });

  it('with --watch --json, prints one line per change', async () => {
    await registered(skilled('lined', 'lining'));
    const session = server().jamjet('agents list --skill lining --watch --json', { tty: true });
    await session.shows('"lined"');
    session.signals.emit('SIGINT');
    const { stdout } = await session.ended;
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).agents.length),
    ).toEqual([1]);
  });
});

describe('jamjet agents', () => {
  it('search lists agents that have all skills', async () => {
    await registered(skilled('both', 'left', 'right'));
    await registered({ ...skilled('one', 'left'), labels: { trust_domain: 'acme' } });
    expect((await jamjet('agents search left')).stdout).toMatch(/^AGENT.*\none .*\nboth .*\n$/);
    expect((await jamjet('agents search left right')).stdout).toMatch(/^AGENT.*\nboth .*\n$/);
    expect(JSON.parse((await jamjet('agents search left --trust-domain acme --json')).stdout).agents).toMatchObject([
      { id: 'one' },
    ]);
    expect(await jamjet('agents search nothing')).toEqual({ code: 0, stdout: '', stderr: 'no matching agents\n' });
  });

  it('inspect, activate, pause, deactivate and archive act on one agent', async () => {
    await registered({ ...CARD, id: 'single', labels: { team: 'blue' } });
    expect(await jamjet('agents activate single')).toEqual({ code: 0, stdout: '✓ single is active\n', stderr: '' });
    expect(await jamjet('agents pause single')).toEqual({ code: 0, stdout: '✓ single is paused\n', stderr: '' });
    await jamjet('agents activate single');
    await server().client.agents.heartbeat('single');
    const { stdout } = await jamjet('agents inspect single');
    expect(stdout).toMatch(
      /^agent +single\nuuid +\S+\nname +Research Agent 0\.1\.0\nstatus +active\naddress +http:\/\/localhost:7701\n/,
    );
    expect(stdout).toMatch(/\nlabel team +blue\n/);
    expect(stdout).toMatch(/\nheartbeat +now\n\n1 skill\n {2}research {2}Deep research on any topic\n$/);
    expect(JSON.parse((await jamjet('agents inspect single --json')).stdout)).toMatchObject({ card: { id: 'single' } });
    expect(JSON.parse((await jamjet('agents deactivate single --json')).stdout)).toEqual({
      agent_id: 'single',
      status: 'deactivated',
    });
    expect((await jamjet('agents list --status deactivated')).stdout).toContain('single');
    expect(await jamjet('agents activate single')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: agent single is deactivated and cannot become active/),
    });
    expect(await jamjet('agents archive single')).toEqual({ code: 0, stdout: '✓ single is archived\n', stderr: '' });
    expect(await jamjet('agents inspect unknown')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: not found: agent unknown\n`jamjet agents list` lists the agents.\n',
    });
  });

  it('trace shows recorded actions', async () => {
    await registered(card('traced'));
    await server().client.agents.activate('traced');
    const { stdout } = await jamjet('agents trace traced');
    expect(stdout).toMatch(
      /^ *WHEN +DIRECTION +EVENT +SUMMARY\n *\S.* in +agent_activated +agent activated by ann\n.* in +agent_registered +.* by ann\n$/,
    );
    expect(JSON.parse((await jamjet('agents trace traced -n 1 --json')).stdout)).toMatchObject({
      agent_id: 'traced',
      events: [{ direction: 'inbound', event_type: 'agent_activated' }],
    });
  });

  it('discover shows the card at a URL, and registers the agent if it is asked to', async () => {
    const { url } = await webServer((request, response) => {
      if (request.url === '/.well-known/agent.json') response.end(JSON.stringify({ ...CARD, id: 'found', uri: undefined }));
      else response.writeHead(404).end();
    });
    const shown = await jamjet(`agents discover ${url}`);
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining('--register') });
    expect(shown.stdout).toContain(`${CARD.name} `);
    expect(await jamjet('agents inspect found')).toMatchObject({ code: 1 });
    const { code, stdout } = await jamjet(`agents discover ${url} --register`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ registered found\n\nagent +found\n/);
    expect(JSON.parse((await jamjet(`agents discover ${url} -r --json`)).stdout)).toMatchObject({ id: 'found', uri: url });
    const connected = await jamjet(`agents connect ${url}`);
    expect(connected).toMatchObject({ code: 0, stdout: expect.stringMatching(/^✓ connected found\n/) });
    expect(await jamjet('agents discover ftp://x')).toMatchObject({ code: 2 });
    const failed = await jamjet('agents discover http://127.0.0.1:1 --register');
    expect(failed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error: .*no agent card at http:\/\/127\.0\.0\.1:1/),
    });
  });
});
