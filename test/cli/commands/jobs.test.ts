import { describe, expect, it } from 'vitest';
import type { ExecutionList, Job, JobList } from '../../../src/client/index.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { DECLINED, HANGING, PAID, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

/** Fails at first; then does as its input says. */
const repaired = new Set<string>();
const REPAIRED = {
  workflow_id: 'repaired',
  version: '1',
  nodes: { work: { kind: { type: 'tool', tool_ref: 'work', input_mapping: { end: 'state.end' } } } },
  edges: [{ from: 'work', to: 'end' }],
};
const server = runtimeServer({
  ...TOOLS,
  work: (input: { end: string }, context: Parameters<Tools[string]>[1]) => {
    const isFirst = !repaired.has(input.end);
    repaired.add(input.end);
    if (isFirst || input.end === 'fail') throw Object.assign(new Error(`${input.end} is broken`), { retryable: false });
    return input.end === 'hang' ? TOOLS.hang?.(input as never, context) : { done: true };
  },
});

/** Starts executions that wait for an event, with their own label. */
async function waiting(count: number, batch: string): Promise<readonly string[]> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(PAID);
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { execution_id } = await client.start({ workflow_id, input: {}, labels: { batch } });
    await client.execution(execution_id, { waitMs: 30_000 });
    ids.push(execution_id);
  }
  return ids;
}

async function statuses(batch: string): Promise<readonly string[]> {
  const { executions } = await server().client.executions({ label: `batch:${batch}` });
  return executions.map(({ status }) => status);
}

describe('jamjet ls', () => {
  it('filters by label, time and parent', async () => {
    const [first, second] = await waiting(2, 'ls');
    const found = async (options: string) => {
      const { stdout, stderr } = await server().jamjet(`ls --json ${options}`).ended;
      if (stdout === '') throw new Error(stderr);
      return (JSON.parse(stdout) as ExecutionList).executions.map(({ id }) => id);
    };
    expect(await found('--label batch=ls')).toEqual([second, first]);
    expect(await found('-l batch=ls -l batch --status paused,running --since 1h')).toEqual([second, first]);
    expect(await found('--label batch=ls --until 1h')).toEqual([]);
    expect(await found('--label batch=ls --since 2020-01-01 --until 2021-01-01T00:00:00Z')).toEqual([]);
    expect(await found(`--label batch=ls --parent ${first}`)).toEqual([]);
    expect(await found('--workflow paid --workflow-version 2')).toEqual([]);
  });

  it('continues at a cursor, and prints it if there are more', async () => {
    const [first, second] = await waiting(2, 'pages');
    const page = server().jamjet('ls --label batch=pages --limit 1');
    const { stdout, stderr } = await page.ended;
    expect(stdout).toContain(second);
    // Below the list, where it is visible after a long list.
    expect(page.both).toBe(`${stdout}${stderr}`);
    const cursor = /^more executions: add --all, or --cursor (\S+)\n$/.exec(stderr)?.[1];
    const next = await server().jamjet(`ls --label batch=pages --limit 1 --cursor ${cursor}`).ended;
    expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining(first ?? ''), stderr: '' });
  });

  it('prints all pages with --all, as one JSON document with --json', async () => {
    const ids = await waiting(3, 'every');
    const json = await server().jamjet('ls --label batch=every --all --json').ended;
    expect((JSON.parse(json.stdout) as ExecutionList).executions.map(({ id }) => id)).toEqual([...ids].reverse());
    const text = await server().jamjet('ls --label batch=every --all').ended;
    expect(text.stdout.match(/EXECUTION/g)).toHaveLength(1);
    expect(text.stdout.trimEnd().split('\n')).toHaveLength(4);
    expect((await server().jamjet('ls --label none --all --json').ended).stdout).toBe('{"executions":[]}\n');
    expect((await server().jamjet('ls --label none --all').ended).stderr).toBe('no executions\n');
  });

  it('with --watch, prints changes until Ctrl-C', async () => {
    const [id = ''] = await waiting(1, 'watched');
    const watching = server().jamjet('ls --label batch=watched --watch');
    await watching.shows('paused');
    await server().client.cancel(id);
    await watching.shows('cancelled');
    watching.signals.emit('SIGINT');
    expect((await watching.ended).code).toBe(130);
  });

  it.each([
    ['--since 2026-02-30', '--since "2026-02-30" is not a time'],
    ['--since noon', '--since "noon" is not a time'],
    ['--status alive', '--status "alive" is not one of pending, running'],
    [
      '--status faild',
      '--status "faild" is not one of pending, running, paused, completed, failed, cancelled, limit_exceeded\nDid you mean "failed"?',
    ],
    ['--status failed,', '--status "" is not one of pending, running'],
    ['--label a:b=c', '--label "a:b=c": a key must not contain a colon'],
    ['--workflow-version 1', '--workflow-version needs --workflow'],
    ['--all --watch', 'give --all or --watch, not both'],
  ])('rejects %s', async (options, message) => {
    const { code, stderr } = await server().jamjet(`ls ${options}`).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(`error: ${message}`);
  });
});

describe('jamjet cancel with a filter', () => {
  it('requires --yes without a terminal', async () => {
    await waiting(1, 'unasked');
    const { code, stderr } = await server().jamjet('cancel --all --label batch=unasked').ended;
    expect([code, stderr]).toEqual([2, 'error: a bulk command requires --yes without a terminal\n']);
    expect(await statuses('unasked')).toEqual(['paused']);
  });

  it('cancels matching executions and prints a summary', async () => {
    await waiting(3, 'yes');
    const { code, stdout } = await server().jamjet('cancel --label batch=yes --reason closed --yes').ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ cancel completed: 3 done {2}job_[0-9a-f]{32}\n$/);
    expect(await statuses('yes')).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('asks for confirmation at a terminal', async () => {
    await waiting(2, 'asked');
    const refusing = server().jamjet('cancel --all --status paused --label batch=asked', { tty: true });
    await refusing.shows('Cancel 2 executions (status paused, label batch:asked)? [y/N]');
    refusing.type('');
    expect(await refusing.ended).toMatchObject({ code: 1, stderr: 'cancelled: nothing was changed\n' });
    expect(await statuses('asked')).toEqual(['paused', 'paused']);
    const agreeing = server().jamjet('cancel --label batch=asked', { tty: true });
    await agreeing.shows('(status pending or running or paused, label batch:asked)? [y/N]');
    agreeing.type('y');
    expect((await agreeing.ended).code).toBe(0);
    expect(agreeing.screen).toMatch(/✓ cancel completed: 2 done/);
  });

  it('does not follow the job with --detach', async () => {
    await waiting(1, 'detached');
    const { stdout } = await server().jamjet('cancel --label batch=detached --yes --detach --json').ended;
    const { id, filter } = JSON.parse(stdout) as Job;
    expect(filter).toEqual({ status: ['pending', 'running', 'paused'], label: ['batch:detached'] });
    expect(await server().client.jobs.get(id, { waitMs: 30_000 })).toMatchObject({ status: 'completed', succeeded: 1 });
  });

  it.each([
    ['cancel', 'no executions selected'],
    ['retry', 'no executions selected'],
    ['ls --error down --group-by error', 'give --error or --group-by error, not both'],
    ['retry --all --follow', '--follow requires an id'],
    ['retry exec_1 --wait 5s', '--wait requires options that select executions'],
    ['retry --all --wait soon', '--wait "soon" is not a duration'],
    ['retry --all --wait 5s --detach', 'give --wait or --detach, not both'],
    ['jobs start --action pause --all --wait 5s', '--wait requires --action retry'],
    ['cancel exec_1 --all', 'give an id or options that select executions, not both'],
    ['cancel exec_1 --workflow x', 'give an id or options that select executions, not both'],
    ['jobs start --action retry', 'no executions selected'],
    ['jobs start --action retr --all', '--action "retr" is not one of cancel, retry, pause, resume'],
  ])('%s is rejected', async (line, message) => {
    const { code, stderr } = await server().jamjet(line).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(`error: ${message}`);
  });
});

describe('jamjet jobs', () => {
  it('are started for any action, listed and shown', async () => {
    await waiting(2, 'held');
    const started = await server().jamjet('jobs start --action pause --label batch=held --reason lunch --yes --json').ended;
    const job = JSON.parse(started.stdout) as Job;
    expect([started.code, job]).toMatchObject([0, { action: 'pause', status: 'completed', succeeded: 2, reason: 'lunch' }]);
    const list = await server().jamjet('jobs list --limit 1').ended;
    expect(list.stdout).toMatch(
      new RegExp(`^JOB +ACTION +STATUS +PROCESSED .*\n${job.id} {2}pause +completed +2/2 +0 +0 +.+ +ann\n$`),
    );
    const cursor = /^more jobs: add --cursor (\S+)\n$/.exec(list.stderr)?.[1];
    const { jobs } = await server().client.jobs.list();
    const rest = await server().jamjet(`jobs list --limit ${jobs.length - 1} --cursor ${cursor}`).ended;
    expect(rest.stdout.match(/^job_\w+/gm)).toEqual(jobs.slice(1).map((other) => other.id));
    expect(rest.stderr).toBe('');
    const listed = JSON.parse((await server().jamjet('jobs list --limit 1 --json').ended).stdout) as JobList;
    expect(listed.jobs).toEqual([job]);
    const shown = await server().jamjet(`jobs get ${job.id}`).ended;
    expect(shown.stdout).toMatch(
      /^job +job_\w+\naction +pause\nfilter +status pending, running, paused · label batch:held\nstatus +completed\n/,
    );
    expect((await server().jamjet(`jobs get ${job.id} --follow`).ended).stdout).toContain('✓ pause completed: 2 done');
  });

  it('retry what failed with an error, as a group of errors is named', async () => {
    const { client } = server();
    const { workflow_id } = await client.registerWorkflow({ ...DECLINED, workflow_id: 'declined-once' });
    const { execution_id } = await client.start({ workflow_id, input: {} });
    await client.execution(execution_id, { waitMs: 30_000 });
    const [{ error } = { error: '' }] = (await client.executionErrors({ workflow_id })).groups;
    const { stdout } = await server().jamjet(['ls', '--json', '--workflow', workflow_id, '--error', error]).ended;
    expect((JSON.parse(stdout) as ExecutionList).executions).toMatchObject([{ execution_id, status: 'failed' }]);
    const other = ['retry', '--workflow', workflow_id, '--error', `${error}!`, '--yes', '--json'];
    expect(JSON.parse((await server().jamjet(other).ended).stdout)).toMatchObject({ matched: 0 });
    const job = (await server().jamjet(['retry', '--workflow', workflow_id, '--error', error, '--yes', '--json']).ended).stdout;
    expect(JSON.parse(job)).toMatchObject({ matched: 1, succeeded: 1, filter: { status: ['failed'], workflow_id, error } });
  });

  it('are shown with the number of executions that they name', async () => {
    const execution_ids = [...(await waiting(2, 'named'))];
    const shown = async (ids: string[]) => {
      const { id } = await server().client.jobs.start({ action: 'cancel', filter: { execution_ids: ids } });
      return (await server().jamjet(`jobs get ${id}`).ended).stdout;
    };
    expect(await shown(execution_ids)).toMatch(/^filter +2 named executions$/m);
    expect(await shown(execution_ids.slice(1))).toMatch(new RegExp(`^filter +${execution_ids[1]}$`, 'm'));
  });

  it('retry failed executions', async () => {
    const { client } = server();
    const { workflow_id } = await client.registerWorkflow(DECLINED);
    const { execution_id } = await client.start({ workflow_id, input: {} });
    await client.execution(execution_id, { waitMs: 30_000 });
    const { code, stdout } = await server().jamjet('retry --workflow declined --yes --wait 1m').ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^✗ retry completed: 1 done {2}job_[0-9a-f]{32}\n {2}retried 1: 0 completed, 1 failed again\n {4}1 × charge: card declined {2}for example [0-9a-f]{8}\n$/,
    );
    const id = /job_\w+/.exec(stdout)?.[0];
    expect((await server().jamjet(`jobs get ${id}`).ended).stdout).toMatch(
      /\noutcomes +0 completed, 1 failed again\nfailed again +1 × charge: card declined/,
    );
    const types = (await client.events(execution_id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'node_started')).toHaveLength(2);
  });

  it('tell how many completed, failed again and are still running', async () => {
    const { client } = server();
    await client.registerWorkflow(REPAIRED);
    repaired.clear();
    for (const end of ['complete', 'fail', 'hang']) {
      const { execution_id } = await client.start({ workflow_id: 'repaired', input: { end }, labels: { batch: 'repaired' } });
      await client.execution(execution_id, { waitMs: 30_000 });
    }
    const selected = '--status failed --label batch=repaired --yes';
    const now = await server().jamjet(`retry ${selected} --wait 0s --json`).ended;
    const job = JSON.parse(now.stdout) as Job;
    expect(job).toMatchObject({ succeeded: 3, outcomes: { removed: 0 } });
    const follow = server().jamjet(`jobs get ${job.id} --follow --wait 1h`, { tty: true });
    await follow.shows('retry  3 of 3: 1 completed, 1 failed again, 1 still running');
    follow.signals.emit('SIGINT');
    expect(await follow.ended).toMatchObject({
      code: 130,
      stderr: expect.stringContaining(`the retried executions go on: jamjet jobs get ${job.id}\n`),
    });
    const waiting = server().jamjet(`jobs get ${job.id} --follow --wait 1h`, { tty: true });
    await waiting.shows('1 still running');
    const running = (await client.jobs.get(job.id)).outcomes?.running_execution_id ?? '';
    await client.cancel(running);
    expect((await waiting.ended).code).toBe(1);
    expect(waiting.screen).toContain('retried 3: 1 completed, 1 failed again, 1 cancelled');
  });

  it('may match no executions', async () => {
    const { client } = server();
    await client.registerWorkflow(HANGING);
    const { code, stdout } = await server().jamjet('jobs start --action retry --workflow hanging --status running --yes').ended;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^✓ retry completed: 0 done/)]);
  });

  it('cannot be cancelled once they have ended', async () => {
    const started = await server().jamjet('jobs start --action resume --label batch=none --yes --json').ended;
    const { id } = JSON.parse(started.stdout) as Job;
    expect(await server().jamjet(`jobs cancel ${id}`).ended).toMatchObject({
      code: 1,
      stderr: `error: job ${id} has already ended: completed\n`,
    });
  });

  it.each(['get', 'cancel'])('%s reports an unknown job', async (verb) => {
    const { code, stderr } = await server().jamjet(`jobs ${verb} job_1`).ended;
    expect([code, stderr]).toEqual([1, 'error: not found: job job_1\n`jamjet jobs list` lists the bulk jobs.\n']);
  });
});
