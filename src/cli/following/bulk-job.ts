import { type ExecutionConditions, type JamjetClient, type Job, Unreachable } from '../../client/index.ts';
import type { Context, Interrupt } from '../context.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { sleep } from '../sleep.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { count, plain } from '../terminal/text.ts';
import { doneText } from '../texts/job.ts';

/** Statuses an action applies to, used if no status is given. */
const DEFAULT_STATUSES: Readonly<Record<Job['action'], readonly string[]>> = {
  cancel: ['running', 'paused'],
  pause: ['running', 'paused'],
  resume: ['paused'],
  retry: ['failed'],
};

/** Maximum number of executions that are counted for the confirmation. */
const PREVIEW_LIMIT = 1_000;
const PROGRESS_POLL_MS = 500;
/** Time to wait for an unreachable server. */
const RECONNECT_TIMEOUT_MS = 10_000;

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
    return await followJob(client, context, { id: job.id, json }, interrupt);
  } finally {
    interrupt.stopListening();
  }
}

/** Shows the progress of a job until it ends; resolves to the exit code. */
export async function followJob(
  client: JamjetClient,
  context: Context,
  { id, json }: { readonly id: string; readonly json: boolean },
  { signal }: Interrupt,
): Promise<number> {
  const screen = new Screen(json ? context.stderr : context.stdout, context.stdin);
  const paint = paintFor(context.stdout, context.env);
  let job: Job | null = null;
  screen.show((spinner) => (job === null ? [] : [`${paint.cyan(spinner)} ${progressText(job)}`]));
  try {
    for (let disconnectedAtMs: number | null = null; job === null || job.status === 'running'; ) {
      try {
        job = await client.jobs.get(id, { waitMs: PROGRESS_POLL_MS, signal });
        disconnectedAtMs = null;
      } catch (error) {
        // The job continues after a restart of the server.
        if (!(error instanceof Unreachable)) throw error;
        disconnectedAtMs ??= Date.now();
        if (Date.now() - disconnectedAtMs > RECONNECT_TIMEOUT_MS) throw error;
        await sleep(PROGRESS_POLL_MS, signal);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    context.stderr.write(`the job continues: jamjet jobs get ${id}, jamjet jobs cancel ${id}\n`);
    return EXIT.interrupted;
  } finally {
    screen.close();
  }
  return printJob(context, job, json, job.status === 'completed' && job.failed === 0 ? EXIT.ok : EXIT.failed);
}

function printJob({ stdout, env }: Context, job: Job, json: boolean, exitCode: number): number {
  stdout.write(json ? `${JSON.stringify(job, null, 2)}\n` : resultText(job, paintFor(stdout, env)));
  return exitCode;
}

function progressText(job: Job): string {
  const of = job.matched === null ? '' : ` of ${job.matched}`;
  return `${job.action}  ${job.processed}${of}`;
}

function resultText(job: Job, paint: Paint): string {
  if (job.status === 'running') return `${paint.green('✓')} started ${job.id}\n`;
  const mark = job.status === 'completed' && job.failed === 0 ? paint.green('✓') : paint.red('✗');
  const errors = job.errors.map(({ execution_id, error }) => `  ${execution_id ?? ''} ${plain(error)}\n`);
  return `${mark} ${job.action} ${job.status}: ${doneText(job)}  ${paint.dim(job.id)}\n${errors.join('')}`;
}

async function confirm(
  client: JamjetClient,
  screen: Screen,
  { signal, raise }: Interrupt,
  action: Job['action'],
  filter: ExecutionConditions,
): Promise<boolean> {
  if (!screen.interactive) throw usageFailure('a bulk command requires --yes without a terminal');
  const { executions, next_cursor } = await client.executions({ ...filter, limit: PREVIEW_LIMIT });
  const matching =
    next_cursor === null ? count(executions.length, 'execution') : `more than ${count(executions.length, 'execution')}`;
  const question = `${action[0]?.toUpperCase()}${action.slice(1)} ${matching} (${filterText(filter)})? [y/N] `;
  const answer = await screen.ask(question, { signal, interrupted: raise });
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}

/** `status running or paused, workflow_id x`. */
function filterText(filter: ExecutionConditions): string {
  const parts = Object.entries(filter).map(([name, value]) => `${name} ${[value].flat().join(' or ')}`);
  return plain(parts.join(', '));
}
