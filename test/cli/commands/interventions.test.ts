import { describe, expect, it } from 'vitest';
import { DECLINED, DOUBLING, PAID, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

let declines = true;
const server = runtimeServer({
  ...TOOLS,
  fail: () => {
    if (declines) throw Object.assign(new Error('card declined'), { retryable: false });
    return { charged: true };
  },
});

/** Starts an execution and waits until it has ended or is waiting. */
async function started(flow: typeof DECLINED): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  const { execution_id } = await client.start({ workflow_id, input: { n: 4 } });
  await client.execution(execution_id, { waitMs: 30_000 });
  return execution_id;
}

const jamjet = (line: string) => server().jamjet(line).ended;

describe('jamjet pause and resume', () => {
  it('suspend and resume an execution', async () => {
    const id = await started(REVIEWED);
    expect(await server().jamjet(['pause', id, '--reason', 'the bank is closed']).ended).toEqual({
      code: 0,
      stdout: `◆ ${id} paused\n`,
      stderr: `Resume it with: jamjet resume ${id}\n`,
    });
    await server().client.approve(id, { decision: 'approved' });
    const { stdout } = await jamjet(`inspect ${id}`);
    expect(stdout).toMatch(/^status {5}paused\n[\s\S]*^suspended {2}the bank is closed$/m);
    expect(stdout).toContain('· paused: the bank is closed\n');
    expect(stdout).toContain(`◆ suspended: jamjet resume ${id}\n`);
    expect(await jamjet(`resume ${id}`)).toEqual({ code: 0, stdout: `✓ resumed  ${id} is running\n`, stderr: '' });
    expect((await server().client.execution(id, { waitMs: 30_000 })).state).toMatchObject({ n: 8 });
    expect((await jamjet(`inspect ${id}`)).stdout).not.toMatch(/^suspended/m);
  });

  it('print the reply of the API as JSON', async () => {
    const id = await started(REVIEWED);
    const paused = await jamjet(`pause ${id} --json`);
    expect([JSON.parse(paused.stdout), paused.stderr]).toEqual([{ execution_id: id, status: 'paused', held: true }, '']);
    expect(JSON.parse((await jamjet(`inspect ${id} --json`)).stdout)).toMatchObject({ held: true });
    expect(JSON.parse((await jamjet(`resume ${id} --json`)).stdout)).toEqual({
      execution_id: id,
      status: 'paused',
      held: false,
    });
  });

  it('report what an execution that is not suspended waits for', async () => {
    const id = await started(PAID);
    expect(await jamjet(`resume ${id}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: execution ${id} is not paused by an operator: node payment waits for event payment-received (external-event)\n`,
    });
    expect(await jamjet(`resume ${id} --event payment-received`)).toMatchObject({ code: 0 });
    expect((await jamjet(`pause ${id}`)).stderr).toBe(`error: execution ${id} has ended: completed\n`);
  });
});

describe('jamjet retry', () => {
  it('runs the failed nodes again', async () => {
    declines = true;
    const id = await started(DECLINED);
    declines = false;
    const { code, stdout } = await jamjet(`retry ${id}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `✓ retried  ${id}: charge\n` });
    expect(await server().client.execution(id, { waitMs: 30_000 })).toMatchObject({ status: 'completed' });
    const inspected = await jamjet(`inspect ${id}`);
    expect(inspected.stdout).toMatch(/✗ charge.*card declined\n {2}[\d:.]+ {2}· retried: charge\n {2}[\d:.]+ {2}✓ charge/);
  });

  it('follows the execution until it ends with --follow', async () => {
    declines = true;
    const id = await started(DECLINED);
    const again = await jamjet(`retry ${id} --follow`);
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/✗ failed in/);
    declines = false;
    const { code, stdout, stderr } = await jamjet(`retry ${id} --follow`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${id}: charge\n` });
    expect(stdout).toMatch(/· retried: charge\n[\s\S]*✓ completed in/);
  });

  it('with --follow --json, reports like run', async () => {
    declines = true;
    const id = await started(DECLINED);
    declines = false;
    const { code, stdout } = await jamjet(`retry ${id} --follow --json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ execution_id: id, status: 'completed', steps_executed: 1 });
  });

  it('reports why an execution cannot be retried', async () => {
    const id = await started(DOUBLING);
    expect(await jamjet(`retry ${id}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: execution ${id} cannot be retried: it is completed, and only failed executions can be\n`,
    });
  });

  it.each(['pause', 'resume', 'retry'])('%s of an unknown execution is one line and a hint', async (verb) => {
    const { code, stderr } = await jamjet(`${verb} exec_abc123`);
    expect(code).toBe(1);
    expect(stderr).toBe('error: not found: execution exec_abc123\n`jamjet ls` lists the executions.\n');
  });
});
