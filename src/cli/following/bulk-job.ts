import { ApiError, type ExecutionConditions, type JamjetClient, type Job, Unreachable } from '../../client/index.ts';
import type { Context, Interrupt } from '../context.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { sleep } from '../sleep.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { count, plain } from '../terminal/text.ts';
import { doneText } from '../texts/job.ts';
import { failedAgain, failureLines, outcomesOf, outcomesText } from '../texts/outcomes.ts';

/** Statuses an action applies to, used if no status is given. */
const DEFAULT_STATUSES: Readonly<Record<Job['action'], readonly string[]>> = {
  cancel: ['pending', 'running', 'paused'],
  pause: ['pending', 'running', 'paused'],
  resume: ['paused'],
  retry: ['failed'],
};

const PROGRESS_POLL_MS = 500;
/** Time to wait for an unreachable server. */
const RECONNECT_TIMEOUT_MS = 10_000;
/** How long to wait for the end of retried executions, if not given. */
const DEFAULT_WAIT_MS = 10_000;
const MAX_POLL_MS = 30_000;

export interface BulkOptions {
  readonly action: Job['action'];
  readonly conditions: ExecutionConditions;
  readonly reason: string | undefined;
  /** No confirmation. */
  readonly yes: boolean;
  /** Print the job as JSON, and no progress. */
  readonly json: boolean;
  /** Do not follow the job. */
  readonly detach: boolean;
  /** How long to wait for the end of the executions that a job has retried; default 10 s. */
  readonly waitMs?: number | undefined;
}

/** Asks for confirmation, starts the job and follows it until it ends; resolves to the exit code. */
export async function runBulk(client: JamjetClient, context: Context, bulk: BulkOptions): Promise<number> {
  const { action, json, detach, reason } = bulk;
  const filter = { status: [...DEFAULT_STATUSES[action]], ...bulk.conditions };
  const screen = new Screen(context.stdout, context.stdin);
  const interrupt = listenForInterrupt(context.signals);
  try {
    if (!bulk.yes && !(await confirm(client, screen, interrupt, action, filter))) {
      context.stderr.write('cancelled: nothing was changed\n');
      return interrupt.signal.aborted ? EXIT.interrupted : EXIT.failed;
    }
    const job = await client.jobs.start({ action, filter, ...(reason === undefined ? {} : { reason }) });
    if (detach) return printJob(context, job, json, EXIT.ok);
    return await followJob(client, context, { id: job.id, json, waitMs: bulk.waitMs }, interrupt);
  } finally {
    interrupt.stopListening();
  }
}

/**
 * Shows the progress of a job until it ends, and of a retry then what becomes of the executions, for `waitMs` at most. Resolves to the exit
 * code: 1 if the job failed on an execution, or if an execution has failed again.
 */
export async function followJob(
  client: JamjetClient,
  context: Context,
  { id, json, waitMs = DEFAULT_WAIT_MS }: { readonly id: string; readonly json: boolean; readonly waitMs?: number | undefined },
  { signal }: Interrupt,
): Promise<number> {
  const screen = new Screen(json ? context.stderr : context.stdout, context.stdin);
  const paint = paintFor(context.stdout, context.env);
  let job: Job | null = null;
  screen.show((spinner) => (job === null ? [] : [`${paint.cyan(spinner)} ${progressText(job)}`]));
  try {
    do job = await reconnecting(() => client.jobs.get(id, { waitMs: PROGRESS_POLL_MS, signal }), signal);
    while (job.status === 'running');
    for (const untilMs = Date.now() + waitMs; Date.now() < untilMs; ) {
      const running: string | null = job.outcomes?.running_execution_id ?? null;
      if (running === null) break;
      await reconnecting(() => untilSettled(client, running, untilMs, signal), signal);
      job = await reconnecting(() => client.jobs.get(id, { signal }), signal);
      // It waits for another node, or the counts are not the newest.
      if (job.outcomes?.running_execution_id === running && Date.now() < untilMs) await sleep(PROGRESS_POLL_MS, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    const hasEnded = job !== null && job.status !== 'running';
    context.stderr.write(
      hasEnded
        ? `the retried executions go on: jamjet jobs get ${id}\n`
        : `the job continues: jamjet jobs get ${id}, jamjet jobs cancel ${id}\n`,
    );
    return EXIT.interrupted;
  } finally {
    screen.close();
  }
  return printJob(context, job, json, isGood(job) ? EXIT.ok : EXIT.failed);
}

/** Repeats a request while the server is restarted, for ten seconds. */
async function reconnecting<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let disconnectedAtMs: number | null = null; ; ) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      disconnectedAtMs ??= Date.now();
      if (Date.now() - disconnectedAtMs > RECONNECT_TIMEOUT_MS) throw error;
      await sleep(PROGRESS_POLL_MS, signal);
    }
  }
}

/** Waits until the execution has ended or is paused. */
async function untilSettled(client: JamjetClient, id: string, untilMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(MAX_POLL_MS, Math.max(0, untilMs - Date.now()));
  try {
    await client.execution(id, { waitMs, signal });
  } catch (error) {
    const isGone = error instanceof ApiError && error.status === 404;
    if (!isGone) throw error;
  }
}

function isGood(job: Job): boolean {
  return job.status === 'completed' && job.failed === 0 && failedAgain(job) === 0;
}

function printJob({ stdout, env }: Context, job: Job, json: boolean, exitCode: number): number {
  stdout.write(json ? `${JSON.stringify(job, null, 2)}\n` : resultText(job, paintFor(stdout, env)));
  return exitCode;
}

function progressText(job: Job): string {
  const of = job.matched === null ? '' : ` of ${job.matched}`;
  const outcomes = outcomesOf(job);
  const became = outcomes === null || job.succeeded === 0 ? '' : `: ${outcomesText(outcomes)}`;
  return `${job.action}  ${job.processed}${of}${became}`;
}

function resultText(job: Job, paint: Paint): string {
  if (job.status === 'running') return `${paint.green('✓')} started ${job.id}\n`;
  const mark = isGood(job) ? paint.green('✓') : paint.red('✗');
  const errors = job.errors.map(({ execution_id, error }) => `  ${execution_id ?? ''} ${plain(error)}\n`);
  return `${mark} ${job.action} ${job.status}: ${doneText(job)}  ${paint.dim(job.id)}\n${errors.join('')}${retriedText(job, paint)}`;
}

/** `retried 120: 97 completed, 20 failed again, 3 still running (jamjet jobs get job_0199…)`, and the errors. */
function retriedText(job: Job, paint: Paint): string {
  const { id, succeeded } = job;
  const outcomes = outcomesOf(job);
  if (outcomes === null || succeeded === 0) return '';
  const later = outcomes.running === 0 ? '' : paint.dim(` (jamjet jobs get ${id})`);
  const lines = [`retried ${succeeded}: ${outcomesText(outcomes)}${later}`];
  for (const line of failureLines(outcomes, paint)) lines.push(`  ${line}`);
  return lines.map((line) => `  ${line}\n`).join('');
}

async function confirm(
  client: JamjetClient,
  screen: Screen,
  { signal, raise }: Interrupt,
  action: Job['action'],
  filter: ExecutionConditions,
): Promise<boolean> {
  if (!screen.interactive) throw usageFailure('a bulk command requires --yes without a terminal');
  const { total, more } = await client.executionCounts(filter);
  const matching = `${more ? 'at least ' : ''}${count(total, 'execution')}`;
  const question = `${action[0]?.toUpperCase()}${action.slice(1)} ${matching} (${filterText(filter)})? [y/N] `;
  const answer = await screen.ask(question, { signal, interrupted: raise });
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}

/** `status running or paused, workflow_id x`. */
function filterText(filter: ExecutionConditions): string {
  const parts = Object.entries(filter).map(([name, value]) => `${name} ${[value].flat().join(' or ')}`);
  return plain(parts.join(', '));
}
