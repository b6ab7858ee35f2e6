import { beforeAll, describe, expect, it } from 'vitest';
import type { CronJob, CronJobList } from '../../../src/client/index.ts';
import { DOUBLING, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

beforeAll(async () => {
  for (const document of [DOUBLING, REVIEWED]) await server().client.registerWorkflow(document);
});

async function printed(...line: readonly string[]) {
  return server().jamjet(['cron', ...line]).ended;
}

async function json<T>(...line: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await printed(...line, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

describe('jamjet cron', () => {
  it('creates a job with all options', async () => {
    const options = ['--timezone', 'Europe/Berlin', '--missed', 'catch_up', '--overlap', 'skip', '--input', '{"n": 4}'];
    const job = await json<CronJob>(
      'create',
      'full',
      '30 2 * * *',
      '--workflow',
      'doubling',
      '--workflow-version',
      '1',
      ...options,
    );
    expect(job).toMatchObject({
      name: 'full',
      cron_expression: '30 2 * * *',
      timezone: 'Europe/Berlin',
      workflow_id: 'doubling',
      workflow_version: '1',
      input: { n: 4 },
      missed: 'catch_up',
      overlap: 'skip',
      enabled: true,
    });
  });

  it('shows a job as text', async () => {
    const { code, stdout } = await printed('create', 'nightly', '0 2 * * *', '--workflow', 'doubling');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nightly {2}active\n {2}schedule +0 2 \* \* \*\n {2}workflow +doubling\n {2}input +\{\}\n/);
    expect(stdout).toMatch(/\n {2}next run +\d{4}-.+Z {2}(?:in \d+ [hms]|now)\n {2}last run +none\n/);
    expect((await printed('get', 'nightly')).stdout).toContain('nightly  active\n');
  });

  it('pauses, resumes, triggers and deletes a job', async () => {
    await json('create', 'short', '@yearly', '--workflow', 'doubling', '--paused', '--input', '{"n": 21}');
    expect(await json<CronJob>('get', 'short')).toMatchObject({ enabled: false, next_run_at: null });
    expect((await printed('resume', 'short')).stdout).toMatch(/^✓ resumed {2}short {2}next run \d{4}-01-01T00:00:00\.000Z\n$/);
    expect((await printed('pause', 'short')).stdout).toBe('✓ paused  short\n');
    const { stdout } = await printed('trigger', 'short');
    const id = /^✓ started {2}short {2}(exec_\w{32})\n$/.exec(stdout)?.[1] ?? '';
    expect(await server().client.execution(id, { waitMs: 30_000 })).toMatchObject({ status: 'completed', state: { n: 42 } });
    expect(await json<CronJob>('get', 'short')).toMatchObject({ last_execution_id: id });
    expect((await printed('delete', 'short')).stdout).toBe('✓ deleted  short\n');
    const gone = await printed('get', 'short');
    expect([gone.code, gone.stderr]).toEqual([1, 'error: not found: cron job short\n`jamjet cron list` lists the jobs.\n']);
  });

  it('lists all jobs', async () => {
    await json('create', 'a job', '*/5 * * * *', '--workflow', 'reviewed', '--timezone', 'Asia/Tokyo', '--paused');
    const { stdout } = await printed('list');
    expect(stdout).toMatch(/^JOB +SCHEDULE +WORKFLOW +STATE +NEXT +LAST\n/);
    expect(stdout).toMatch(/\na job +\*\/5 \* \* \* \* {2}Asia\/Tokyo +reviewed +paused +– +never\n/);
    const { cron_jobs } = await json<CronJobList>('list');
    expect(cron_jobs.map((job) => job.name)).toContain('a job');
  });

  it('watches the list until it is interrupted', async () => {
    const session = server().jamjet(['cron', 'list', '--watch']);
    await session.shows('JOB');
    await json('create', 'zulu', '0 0 1 1 *', '--workflow', 'doubling');
    await session.shows('zulu');
    session.signals.emit('SIGINT');
    expect((await session.ended).code).toBe(130);
  });

  it.each([
    [['create', 'x', '* * * * *'], 2, /^error: --workflow is missing: name the workflow to start\n/],
    [['create', 'x', '* * *', '--workflow', 'doubling'], 1, /^error: invalid cron expression: 3 fields instead of 5/],
    [['create', 'x', '* * * * *', '--workflow', 'nothing'], 1, /^error: workflow nothing is not registered\n/],
    [
      ['create', 'x', '* * * * *', '--workflow', 'doubling', '--overlap', 'maybe'],
      2,
      /^error: --overlap "maybe" is not one of allow, skip, cancel_running\n/,
    ],
    [['create', 'x', '* * * * *', '--workflow', 'doubling', '--input', '{'], 2, /^error: --input is not JSON/],
    [['trigger', 'unknown'], 1, /^error: not found: cron job unknown\n/],
  ])('rejects %j', async (line, code, message) => {
    const ended = await printed(...line);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(message);
  });
});
