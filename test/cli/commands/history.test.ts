import { describe, expect, it } from 'vitest';
import { PAID, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);
const jamjet = (line: string | readonly string[]) => server().jamjet(line).ended;

/** Registers and starts a workflow, and waits until the execution has ended or is waiting. */
async function started(flow: typeof REVIEWED): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  const { execution_id } = await client.start({ workflow_id, input: { n: 4 } });
  await client.execution(execution_id, { waitMs: 30_000 });
  return execution_id;
}

async function completed(flow: typeof REVIEWED): Promise<{ readonly id: string; readonly parked: number }> {
  const id = await started(flow);
  const { sequence: parked } = await server().client.execution(id);
  await server().client.approve(id, { decision: 'approved', comment: 'fine' });
  await server().client.execution(id, { waitMs: 30_000 });
  return { id, parked };
}

describe('jamjet inspect --at', () => {
  it('shows an execution as it was', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { code, stdout, stderr } = await jamjet(`inspect ${id} --at ${parked}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^status +paused then\nsequence +${parked} of \\d+, on `, 'm'));
    expect(stdout).toMatch(/waiting for approval/);
    expect(stdout).not.toContain('fine');
    expect(JSON.parse(/State\n([\s\S]*)$/.exec(stdout)?.[1] ?? '')).toEqual({ n: 4 });
  });

  it('prints a note if the sequence is within a step', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { stderr, stdout } = await jamjet(`inspect ${id} --at ${parked + 1} --json`);
    expect(stderr).toBe(`sequence ${parked + 1} is within a step: using the end of the previous step, sequence ${parked}\n`);
    expect(JSON.parse(stdout)).toMatchObject({ execution_id: id, sequence: parked, requested: parked + 1, status: 'paused' });
    expect((await jamjet(`inspect ${id} --at 1`)).stderr).toMatch(
      /^sequence 1 is within a step: using the end of that step, which is the first, sequence \d+\n$/,
    );
  });

  it.each(['0', 'x', '-3'])('rejects --at %s', async (at) => {
    const { code, stderr } = await jamjet(['inspect', 'exec_1', `--at=${at}`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--at "${at}" is not a whole number from 1 to`)]);
  });

  it('names the end of the log', async () => {
    const id = await started(REVIEWED);
    const { code, stderr } = await jamjet(`inspect ${id} --at 500`);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: sequence 500 is not in the log of execution \S+, which goes from 1 to \d+\n$/),
    ]);
  });
});

describe('jamjet diff', () => {
  it('shows what changed between two points', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { sequence } = await server().client.execution(id);
    const { code, stdout } = await jamjet(`diff ${id} ${parked} ${sequence}`);
    expect(code).toBe(0);
    expect(stdout).toContain(`- ${id} at ${parked}, paused\n+ ${id} at ${sequence}, completed\n`);
    expect(stdout).toContain('~ /n  4 → 8\n');
    expect((await jamjet(`diff ${id} ${parked}`)).stdout).toBe(stdout);
    expect((await jamjet(`diff ${id} ${parked} ${parked}`)).stdout).toContain('no differences\n');
  });

  it('compares two executions, at any points', async () => {
    const [one, other] = [await completed(REVIEWED), await started(REVIEWED)];
    expect((await jamjet(`diff ${other} ${one.id}`)).stdout).toContain('~ /n  4 → 8\n');
    expect(JSON.parse((await jamjet(`diff ${other} ${one.id}@${one.parked} --json`)).stdout)).toEqual([]);
    const changes = JSON.parse((await jamjet(`diff ${other} ${one.id} --json`)).stdout);
    expect(changes).toContainEqual({ op: 'replace', path: '/n', value: 8, old: 4 });
  });

  it('requires two points', async () => {
    expect((await jamjet('diff exec_1')).code).toBe(2);
    expect((await jamjet('diff exec_1 1 2 3')).stderr).toContain('too many points: give two');
    expect((await jamjet('diff exec_1 a b')).stderr).toContain('the sequence "a" is not a whole number');
    expect((await jamjet('diff exec_1@x exec_2')).stderr).toContain('the sequence "x" is not a whole number');
  });
});

describe('jamjet replay', () => {
  it('prints the timeline and the result of the replay', async () => {
    const { id } = await completed(REVIEWED);
    const { sequence } = await server().client.execution(id);
    const { code, stdout } = await jamjet(`replay ${id}`);
    expect(code).toBe(0);
    expect(stdout).toContain('approved by ann: fine');
    expect(stdout).toMatch(new RegExp(`\n✓ ${sequence} events replayed: the result matches the stored state\n$`));
    expect((await jamjet(`replay ${id} --verify`)).stdout).toBe(
      `✓ ${sequence} events replayed: the result matches the stored state\n`,
    );
    expect(JSON.parse((await jamjet(`replay ${id} --verify --json`)).stdout)).toEqual({
      execution_id: id,
      events: sequence,
      sequence,
      matches: true,
    });
  });
});

describe('jamjet fork', () => {
  it('starts an execution that continues from a sequence', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { code, stdout } = await jamjet(['fork', id, '--at', String(parked), '--patch', '{"n": 21}']);
    const fork = /^✓ forked {2}(exec_\w+) continues from exec_\w+ at \d+\n$/.exec(stdout)?.[1] ?? '';
    expect([code, stdout]).toEqual([0, `✓ forked  ${fork} continues from ${id} at ${parked}\n`]);
    await server().client.approve(fork, { decision: 'approved' });
    expect(await server().client.execution(fork, { waitMs: 30_000 })).toMatchObject({ status: 'completed', state: { n: 42 } });
    const inspected = (await jamjet(`inspect ${fork}`)).stdout;
    expect(inspected).toMatch(new RegExp(`^forked from +${id} at ${parked}$`, 'm'));
    expect(inspected).toContain(`· forked from ${id} at ${parked}\n`);
  });

  it('follows it until it ends with --follow', async () => {
    const id = await started(PAID);
    await server().client.sendEvent(id, { key: 'payment-received', payload: {} });
    await server().client.execution(id, { waitMs: 30_000 });
    const events = await server().client.events(id);
    const received = events.find(({ type }) => type === 'external_event_received');
    const at = (received?.sequence ?? 0) - 1;
    const session = server().jamjet(`fork ${id} --at ${at} --follow`);
    await session.shows(/paid 1 {2}exec_/);
    const { executions } = await server().client.executions({ label: `jamjet.fork.of:${id}` });
    const forked = executions[0]?.execution_id ?? '';
    await server().client.sendEvent(forked, { key: 'payment-received', payload: {} });
    const { code, stdout } = await session.ended;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/✓ completed in/)]);
  });

  it('lists decisions that would change, and where to fork instead', async () => {
    const { id } = await completed(REVIEWED);
    const events = await server().client.events(id);
    const decided = events.find(({ type }) => type === 'approval_received')?.sequence ?? 0;
    const at = String((events.find(({ type }) => type === 'tool_call_completed')?.sequence ?? 0) - 1);
    const patched = ['fork', id, '--at', at, '--patch', '{"n": 21}'];
    const summary = `✗ review approved by ann at ${decided}, on other values than the patched state: fork at ${decided - 1} or earlier\n`;
    const dry = await jamjet([...patched, '--dry-run']);
    expect([dry.code, dry.stdout]).toEqual([1, expect.stringMatching(new RegExp(`fits\n${summary}$`))]);
    const refused = await jamjet(patched);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`fork from sequence ${decided - 1} or before`)]);
    expect((await jamjet([...patched, '--keep-decisions'])).code).toBe(0);
    expect((await jamjet(['fork', id, '--at', at, '--dry-run'])).stdout).toContain(`· review approved by ann at ${decided}\n`);
  });

  it('checks whether the log fits another version, and starts nothing', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { client } = server();
    await client.registerWorkflow({ ...REVIEWED, version: '7.0.0' });
    const [first = ''] = Object.keys(REVIEWED.nodes as object);
    expect(await jamjet(`fork ${id} --at ${parked} --workflow-version 7.0.0 --dry-run`)).toEqual({
      code: 0,
      stdout: `✓ the log up to ${parked} fits\n`,
      stderr: '',
    });
    await client.registerWorkflow({
      workflow_id: String(REVIEWED.workflow_id),
      version: '8.0.0',
      nodes: { other: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'x' } } },
      edges: [{ from: 'other', to: 'end' }],
    });
    const refused = await jamjet(`fork ${id} --at ${parked} --workflow-version 8.0.0 --dry-run`);
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringMatching(/^✗ the log up to \d+ does not fit: event \d+: /)]);
    expect(refused.stdout).toContain(first);
    const tried = await jamjet(`fork ${id} --at ${parked} --workflow-version 8.0.0`);
    expect([tried.code, tried.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: the log up to sequence \d+ does not replay with workflow \S+ v8.0.0: event \d+: /),
    ]);
    expect((await client.executions({ label: `jamjet.fork.of:${id}` })).executions).toEqual([]);
  });

  it('rejects an empty version', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { code, stderr } = await server().jamjet(['fork', id, '--at', String(parked), '--workflow-version', '']).ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: .*workflow_version/)]);
    expect((await server().client.executions({ label: `jamjet.fork.of:${id}` })).executions).toEqual([]);
  });

  it('prints the reply of the API as JSON', async () => {
    const { id, parked } = await completed(REVIEWED);
    const { stdout } = await jamjet(`fork ${id} --at ${parked} --json`);
    expect(JSON.parse(stdout)).toEqual({
      execution_id: expect.stringMatching(/^exec_/),
      forked_from: { execution_id: id, sequence: parked },
    });
  });

  it('requires a sequence, and an object as the patch', async () => {
    expect((await jamjet('fork exec_1')).code).toBe(2);
    expect(await jamjet('fork exec_1 --at 1 --patch 5')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--patch must be a JSON object'),
    });
    expect((await jamjet('fork exec_abc123 --at 1')).stderr).toBe(
      'error: not found: execution exec_abc123\n`jamjet ls` lists the executions.\n',
    );
  });
});
