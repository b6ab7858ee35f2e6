import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DECLINED, DOUBLING, HANGING, PAID, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

/** Starts an execution and waits until it has ended or is waiting. */
async function started(
  flow: Parameters<ReturnType<typeof server>['client']['registerWorkflow']>[0],
  input = { n: 4 },
  waitMs = 5_000,
): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  const { execution_id } = await client.start({ workflow_id, input });
  await client.execution(execution_id, { waitMs: flow === HANGING ? 0 : waitMs });
  return execution_id;
}

describe('jamjet ls', () => {
  it('lists executions, newest first', async () => {
    const first = await started(DOUBLING);
    const second = await started(DECLINED);
    const { code, stdout } = await server().jamjet('ls').ended;
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^EXECUTION +WORKFLOW +STATUS +STEPS +STARTED +TOOK$/);
    expect(lines[1]).toMatch(new RegExp(`^${second}  declined 1 +failed +0 .*charge`));
    expect(lines[2]).toMatch(new RegExp(`^${first}  doubling 1 +completed +1 `));
  });

  it('filters by status and workflow', async () => {
    const id = await started(PAID);
    const { stdout } = await server().jamjet('ls --status paused --workflow paid --limit 1 --json').ended;
    const { executions } = JSON.parse(stdout) as { executions: { execution_id: string; status: string }[] };
    expect(executions).toMatchObject([{ execution_id: id, status: 'paused' }]);
  });

  it('prints a note for an empty list', async () => {
    expect(await server().jamjet('ls --workflow none').ended).toEqual({ code: 0, stdout: '', stderr: 'no executions\n' });
  });
});

describe('jamjet inspect', () => {
  it('shows status, timeline and state', async () => {
    const id = await started(DOUBLING);
    const { code, stdout } = await server().jamjet(`inspect ${id}`).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^execution  ${id}\nworkflow   doubling 1\nstatus     completed\n`));
    expect(stdout).toMatch(/Timeline\n {2}\d\d:\d\d:\d\d\.\d{3} {2}✓ double +[\d.]+ m?s +attempt 0\n/);
    expect(stdout).toMatch(/State\n\{\n {2}"n": 8\n\}\n$/);
  });

  it('lists pending approvals, and prints how to decide', async () => {
    const id = await started(REVIEWED);
    const { stdout } = await server().jamjet(`inspect ${id}`).ended;
    expect(stdout).toContain(`◆ review waits for approval: jamjet approve ${id} --node-id review`);
    // One line, with the waiting time.
    expect(stdout).toMatch(/Timeline\n {2}\d\d:\d\d:\d\d\.\d{3} {2}◆ review +[\d.]+ m?s {2}waiting for approval\n\n/);
  });

  it('shows the awaited event, and prints how to send it', async () => {
    const id = await started(PAID);
    const { stdout } = await server().jamjet(`inspect ${id}`).ended;
    const [, line = ''] = /◆ payment waits for an event: jamjet (.*)\n$/.exec(stdout) ?? [];
    expect((await server().jamjet(line).ended).stdout).toBe('✓ delivered  payment-received to payment\n');
    const cancelled = await started(PAID);
    await server().client.cancel(cancelled);
    expect((await server().jamjet(`inspect ${cancelled}`).ended).stdout).not.toContain('waits for an event');
  });

  it('prints the execution and its events as JSON', async () => {
    const id = await started(DOUBLING);
    const { stdout } = await server().jamjet(`inspect ${id} --json`).ended;
    const { status, events } = JSON.parse(stdout) as { status: string; events: { sequence: number }[] };
    expect(status).toBe('completed');
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, at) => at + 1));
  });

  it('accepts all notations of an id', async () => {
    const id = await started(DOUBLING);
    const { stdout } = await server().jamjet(`inspect ${id.slice(5)}`).ended;
    expect(stdout).toContain(id);
  });

  it('shows only the selected part', async () => {
    const id = await started(DOUBLING);
    const { state } = await server().client.execution(id);
    const part = async (options: string) => (await server().jamjet(`inspect ${id} ${options}`).ended).stdout;
    expect(JSON.parse(await part('--state --json'))).toEqual(state);
    expect(JSON.parse(await part('--state'))).toEqual(state);
    expect(JSON.parse(await part('--events --json'))[0]).toMatchObject({ sequence: 1, kind: 'WorkflowStarted' });
    expect(JSON.parse(await part('--events --state --json'))).toMatchObject({ state, events: expect.arrayContaining([]) });
    const timeline = await part('--events');
    expect(timeline).not.toContain('execution ');
    expect(timeline).not.toContain('State');
  });

  it.each(['inspect', 'events', 'approvals', 'cancel', 'approve'])(
    '%s of an unknown execution is one line and a hint',
    async (verb) => {
      const { code, stdout, stderr } = await server().jamjet(`${verb} exec_abc123`).ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe('error: not found: execution exec_abc123\n`jamjet ls` lists the executions.\n');
    },
  );
});

describe('jamjet events', () => {
  it('prints one line per event', async () => {
    const id = await started(DOUBLING);
    const { stdout } = await server().jamjet(`events ${id}`).ended;
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ {3}1 {2}\d\d:\d\d:\d\d\.\d{3} {2}workflow_started /);
    expect(lines.at(-1)).toMatch(/workflow_completed/);
  });

  it.each([
    ['--node double --type node_completed', ['node_completed']],
    ['--type NodeStarted', ['node_started']],
    ['--type node_started,WorkflowStarted', ['workflow_started', 'node_started']],
    ['--type node_started,WorkflowStarted --limit 1', ['workflow_started']],
    ['--after 1 --limit 1', ['node_scheduled']],
    ['--after 1000', []],
  ])('with %s selects', async (options, types) => {
    const id = await started(DOUBLING);
    const { stdout } = await server().jamjet(`events ${id} --json ${options}`).ended;
    expect((JSON.parse(stdout) as { events: { type: string }[] }).events.map((event) => event.type)).toEqual(types);
  });

  it.each(['', ' --follow'])('reports an unknown type%s', async (follow) => {
    const { code, stderr } = await server().jamjet(`events ${await started(DOUBLING)} --type node_fialed${follow}`).ended;
    expect([code, stderr]).toEqual([1, 'error: unknown event type: node_fialed\n']);
  });

  it('follows until the execution ends', async () => {
    const id = await started(REVIEWED);
    const following = server().jamjet(`events ${id} --follow --json`);
    await following.shows('interrupt_raised');
    await server().client.approve(id, { decision: 'approved' });
    const { code, stdout } = await following.ended;
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number; type: string });
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, at) => at + 1));
    expect(events.at(-1)?.type).toBe('workflow_completed');
  });

  it('ends on Ctrl-C', async () => {
    const id = await started(REVIEWED);
    const following = server().jamjet(`events ${id} --follow`);
    await following.shows('interrupt_raised');
    following.signals.emit('SIGINT');
    expect((await following.ended).code).toBe(130);
  });
});

describe('jamjet approvals and approve', () => {
  it('show the question, record the decision, and show the actor', async () => {
    const id = await started(REVIEWED);
    const before = await server().jamjet(`approvals ${id}`).ended;
    expect(before.stdout).toMatch(/^◆ review {2}waiting for .+\n\n {4}Double it\?\n/);
    expect(before.stdout).toContain(`jamjet approve ${id} --node-id review --decision approved`);
    const decided = await server().jamjet(['approve', id, '-d', 'approved', '-c', 'why not']).ended;
    expect(decided).toMatchObject({ code: 0, stdout: `✓ approved  review  ${id}\n` });
    const after = await server().jamjet(`approvals ${id}`).ended;
    expect(after.stdout).toMatch(/^✓ review {2}approved by ann .+: why not\n$/);
  });

  it('show both the actor and the person it acted for', async () => {
    const id = await started(REVIEWED);
    await server().jamjet(['approve', id, '--on-behalf-of', 'the CFO']).ended;
    const after = await server().jamjet(`approvals ${id}`).ended;
    expect(after.stdout).toMatch(/^✓ review {2}approved by ann on behalf of the CFO /);
    expect((await server().jamjet(`events ${id}`).ended).stdout).toMatch(/approval_received .* by ann on behalf of the CFO\n/);
    expect((await server().jamjet(`inspect ${id}`).ended).stdout).toContain('approved by ann on behalf of the CFO');
    const audit = await server().jamjet(['audit', 'list', '--actor', 'the CFO', '-t', 'approval_received']).ended;
    expect(audit.stdout).toContain('ann for the CFO');
  });

  it('print a command line that is quoted for the shell', async () => {
    const ask = { kind: { type: 'human_approval', description: 'Sure?' } };
    const id = await started({ workflow_id: 'spaced', version: '1', nodes: { "the boss's word": ask }, edges: [] });
    const { stdout } = await server().jamjet(`approvals ${id}`).ended;
    expect(stdout).toContain(`--node-id 'the boss'\\''s word' --decision approved`);
  });

  it('reject a second decision', async () => {
    const id = await started(REVIEWED);
    expect((await server().jamjet(`approve ${id} --decision rejected`).ended).code).toBe(0);
    const again = await server().jamjet(`approve ${id}`).ended;
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: .+\n$/);
  });

  it('patch the state', async () => {
    const id = await started(REVIEWED);
    await server().jamjet(['approve', id, '--state-patch', '{"n": 10}', '--json']).ended;
    expect((await server().client.execution(id, { waitMs: 30_000 })).state).toMatchObject({ n: 20 });
  });
});

describe('jamjet event', () => {
  it.each(['event ID payment-received --data JSON', 'resume ID --event payment-received --data JSON'])(
    '%s wakes the wait',
    async (line) => {
      const id = await started(PAID);
      const { code, stdout } = await server().jamjet(
        line.split(' ').map((word) => (word === 'ID' ? id : word === 'JSON' ? '{"amount": 5}' : word)),
      ).ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '✓ delivered  payment-received to payment\n' });
      expect((await server().client.execution(id)).state).toMatchObject({ amount: 5 });
    },
  );

  it('reads the payload from a file or standard input, and ignores a repeated idempotency key', async () => {
    const id = await started(REVIEWED);
    writeFileSync(join(server().folder, 'payload.json'), '{"amount": 7}');
    const first = await server().jamjet(`event ${id} later --data @payload.json --idempotency-key k1 --json`).ended;
    expect(JSON.parse(first.stdout)).toMatchObject({ accepted: true, matched: false, buffered: true });
    const repeat = await server().jamjet(`event ${id} later --data - --idempotency-key k1`, { stdin: '{"amount": 7}' }).ended;
    const stderr = 'warning: no node waits for "later"; the workflow waits for no events\n';
    expect(repeat).toMatchObject({ code: 0, stdout: '✓ logged  later reached no node\n', stderr });
    const events = await server().client.events(id);
    expect(events.filter((event) => event.type === 'external_event_received')).toHaveLength(1);
  });
});

describe('jamjet event --key', () => {
  const data = ['--data', '{"amount": 5}'];

  it('starts an execution with its first event, then reaches it', async () => {
    await server().client.registerWorkflow(PAID);
    const by = ['--workflow', String(PAID.workflow_id), '--key', 'order-9'];
    const none = await server().jamjet(['event', 'payment-received', ...by, ...data]).ended;
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("has the key 'order-9'") });
    const begun = await server().jamjet(['event', 'early', ...by, '--start', '{"order": 9}']).ended;
    const [, id = ''] = /^✓ started {2}(exec_[0-9a-f]{32})\n/.exec(begun.stdout) ?? [];
    expect(await server().client.execution(id)).toMatchObject({ key: 'order-9', input: { order: 9 } });
    const { code, stdout } = await server().jamjet(['event', '--event', 'payment-received', ...by, ...data]).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `✓ delivered  payment-received to payment of ${id}\n` });
  });

  it.each([
    ['event order-9 paid --workflow w --key k', 'give ID, or --workflow and --key, not both'],
    ['event paid --key k', '--key is only for an event by --workflow and --key'],
    ['event paid --workflow w', '--workflow is only for an event by --workflow and --key'],
    ['event exec_1 paid --start {}', '--start is only for an event by --workflow and --key'],
    ['event --workflow w --key k', 'the correlation key is missing'],
    ['event', 'the execution is missing'],
  ])('refuses: %s', async (line, message) => {
    const { code, stderr } = await server().jamjet(line).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('jamjet event with a payload that does not fit the schema of its wait', () => {
  const checked = {
    ...PAID,
    workflow_id: 'checked',
    nodes: {
      payment: { kind: { type: 'wait', correlation_key: 'paid', schema: { properties: { amount: { type: 'number' } } } } },
    },
    edges: [],
  };

  it('warns, or refuses it with --strict', async () => {
    const id = await started(checked);
    const problem = 'the payload does not fit the schema of payment: amount must be number';
    const refused = await server().jamjet(['event', id, 'paid', '--data', '{"amount": "x"}', '--strict']).ended;
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(problem) });
    const taken = await server().jamjet(['event', id, 'paid', '--data', '{"amount": "x"}']).ended;
    expect(taken).toMatchObject({ code: 0, stdout: '✓ delivered  paid to payment\n', stderr: `warning: ${problem}\n` });
  });
});

describe('jamjet cancel', () => {
  it('cancels an execution once', async () => {
    const id = await started(HANGING);
    expect(await server().jamjet(`cancel ${id}`).ended).toMatchObject({ code: 0, stdout: `✓ ${id} cancelled\n` });
    const again = await server().jamjet(`cancel ${id}`).ended;
    expect(again).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `error: execution ${id} is already in terminal state: cancelled\n`,
    });
  });
});

describe('jamjet workers', () => {
  it('lists the runtime itself', async () => {
    const { stdout } = await server().jamjet('workers').ended;
    expect(stdout).toMatch(/^WORKER .*\n\S+ +runtime /);
  });

  it('lists what each serves, and work that waits because no process serves its tool', async () => {
    const { client, jamjet } = server();
    await client.claimWork({ worker_id: 'quotes', queue_types: ['tool'], tools: ['draft_quote'] });
    const id = await started(
      { ...DOUBLING, workflow_id: 'quote', nodes: { double: { kind: { type: 'tool', tool_ref: 'draft_quot' } } } },
      { n: 1 },
      0,
    );
    const why = 'no process serves draft_quot; did you mean "draft_quote"? here are: double, draft_quote, fail, flaky, hang';
    const { stdout } = await jamjet('workers').ended;
    expect(stdout).toMatch(/quotes +external +active +tool +draft_quote /);
    expect(stdout).toMatch(
      new RegExp(`Work that waits, and that no process does\n.*\ntool +draft_quot +1 .*${why.replace('?', '\\?')}`),
    );
    expect((await jamjet(`inspect ${id}`).ended).stdout).toContain(`waiting for a worker of queue tool: ${why}`);
    expect((await jamjet(`inspect ${id} --node double`).ended).stdout).toContain(`waits      ${why}\n`);
    const run = jamjet(`run quote --timeout 1`);
    expect((await run.ended).stdout).toContain(`! double: ${why}`);
    await client.cancel(id);
  });
});

describe('an unusable server', () => {
  it('is named if the connection is refused', async () => {
    const { code, stderr } = await server().jamjet('ls --runtime http://127.0.0.1:9').ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot reach a server at http:\/\/127\.0\.0\.1:9 \(.+\)\nStart one with `jamjet dev`/);
  });

  it('is named if another program listens there', async () => {
    const other = createServer((_request, reply) => reply.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, stderr } = await server().jamjet(`ls --runtime ${url}`).ended;
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^error: HTTP 404 with a reply that is not JSON.*\nThe reply came from ${url}: name the right server`),
    );
  });

  it.each([
    [
      'a wrong token',
      { JAMJET_TOKEN: 'jj_wrong' },
      /^error: invalid or expired token\nThe token from JAMJET_TOKEN is not valid at/,
    ],
    [
      'no token',
      { DATABASE_URL: 'elsewhere/runtime.db' },
      /^error: missing Authorization.*\nSet JAMJET_TOKEN, or run the command in the folder/,
    ],
  ])('prints a hint for %s', async (_what, env, message) => {
    const { code, stderr } = await server().jamjet('ls', { env: env as Record<string, string> }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
