import type { CommandClass } from 'clipanion';
import type { Context } from '../context.ts';

export interface CommandEntry {
  /** What is typed after `jamjet`, the canonical name first. */
  readonly names: readonly [string, ...string[]];
  /** One line, no full stop. */
  readonly summary: string;
  readonly load: () => Promise<CommandClass<Context>>;
}

/**
 * Every command by category, in the order of the help. Names are given here only: a class gets its clipanion paths when it is loaded.
 * Modules are imported on use, because importing all of them takes longer than starting Node.
 */
export const CATEGORIES = {
  Workflows: [
    entry('run', 'Run a workflow file or a registered workflow, and follow it', () => import('./run.ts')),
    entry(['create', 'init'], 'Begin a project from a template', () => import('./create.ts')),
    entry('validate', 'Check workflow files and report every problem with its line', () => import('./validate.ts')),
    entry('register', 'Register the workflows of files on a server', () => import('./register.ts')),
    entry('deploy', 'Register the workflows of files on a server, with their schedules', () => import('./deploy.ts')),
    entry('policy check', 'Show what policies do to each node of a workflow file', () => import('./policy/check.ts')),
    entry('test', 'Run the tests of workflow files and explore what else can happen', () => import('./test.ts')),
    entry('eval run', 'Run a workflow for each row of a data set, and score what comes out', () => import('./eval/run.ts')),
    entry('eval compare', 'Compare the results of two runs of a data set', () => import('./eval/compare.ts')),
    entry('eval trajectory-diff', 'Compare the tools that two runs called', () => import('./eval/trajectory-diff.ts')),
    entry('eval export', 'Write results as CSV, LaTeX or JSON', () => import('./eval/export.ts')),
    entry(['visualize', 'visualise'], 'Draw a workflow, or the progress of an execution', () => import('./visualize.ts')),
    entry('workflows list', 'List registered workflows, or the revisions of one', () => import('./workflows/list.ts')),
    entry('workflows get', 'Print a registered workflow as YAML or JSON', () => import('./workflows/get.ts')),
    entry(
      'workflows diff',
      'Compare versions of a workflow, or a file with what is registered',
      () => import('./workflows/diff.ts'),
    ),
    ...resource('cron', () => import('./cron.ts'), {
      create: 'Start a workflow on a cron schedule',
      list: 'List cron jobs with their next and last runs',
      get: 'Show a cron job',
      pause: 'Pause a cron job',
      resume: 'Resume a paused cron job',
      trigger: 'Run a cron job now',
      delete: 'Delete a cron job',
    }),
  ],
  Executions: [
    entry('ls', 'List executions, newest first', () => import('./ls.ts')),
    entry('inspect', 'Show an execution: status, timeline, state', () => import('./inspect.ts')),
    entry('watch', 'Watch an execution full screen, and act on it', () => import('./watch.ts')),
    entry('diff', 'Compare the state at two points of one or two executions', () => import('./diff.ts')),
    entry('replay', "Replay an execution's log and compare the result with the stored state", () => import('./replay.ts')),
    entry('events', "Print an execution's event log", () => import('./events.ts')),
    entry('approvals', 'List what waits for a decision, or the approvals of an execution', () => import('./approvals.ts')),
    entry('approve', 'Approve or reject a pending approval', () => import('./approve.ts')),
    entry('event', 'Send an external event to an execution', () => import('./event.ts')),
    entry('update', 'Send an update to the durable function of an execution', () => import('./update.ts')),
    entry('pause', 'Pause an execution: nothing new starts until it is resumed', () => import('./pause.ts')),
    entry('resume', 'Resume a paused execution, or send the event it waits for', () => import('./resume.ts')),
    entry('retry', 'Retry the failed nodes of an execution, or of all that match', () => import('./retry.ts')),
    entry('fork', 'Start a new execution from a point in the log of another', () => import('./fork.ts')),
    entry('cancel', 'Cancel an execution, or all that match, with their work and child executions', () => import('./cancel.ts')),
    entry('jobs list', 'List bulk jobs, newest first', () => import('./jobs/list.ts')),
    entry('jobs get', 'Show a bulk job and its progress', () => import('./jobs/get.ts')),
    entry('jobs start', 'Cancel, retry, pause or resume all executions that match', () => import('./jobs/start.ts')),
    entry('jobs cancel', 'Cancel a bulk job', () => import('./jobs/cancel.ts')),
    entry('artifacts put', 'Store a file under its hash', () => import('./artifacts/put.ts')),
    entry('artifacts get', 'Download an artifact by its hash', () => import('./artifacts/get.ts')),
    entry('memory add', 'Store texts that workflows can find', () => import('./memory/add.ts')),
    entry('memory search', 'Find texts of the memory', () => import('./memory/search.ts')),
    entry('memory list', 'List namespaces of the memory, or their texts', () => import('./memory/list.ts')),
    entry('memory rm', 'Delete texts from the memory', () => import('./memory/rm.ts')),
    entry('threads list', 'List threads, the last changed first', () => import('./threads/list.ts')),
    entry('threads show', 'Show a thread and its summary', () => import('./threads/show.ts')),
    entry('threads messages', 'Print the messages of a thread', () => import('./threads/messages.ts')),
    entry('threads add', 'Append messages to a thread', () => import('./threads/add.ts')),
    entry('threads delete', 'Delete a thread with its messages', () => import('./threads/delete.ts')),
  ],
  Agents: [
    entry('agents list', 'List agents, most recently registered first', () => import('./agents/list.ts')),
    entry('agents search', 'Find the agents that have all given skills', () => import('./agents/search.ts')),
    entry('agents inspect', 'Show an agent: status, address, skills', () => import('./agents/inspect.ts')),
    entry('agents register', 'Register an agent by its card', () => import('./agents/register.ts')),
    entry('agents discover', 'Show the card of the agent at a URL, or register it', () => import('./agents/discover.ts')),
    entry('agents connect', 'Register the agent at a URL', () => import('./agents/connect.ts')),
    entry('agents activate', 'Activate an agent', () => import('./agents/activate.ts')),
    entry('agents pause', 'Pause an agent', () => import('./agents/pause.ts')),
    entry('agents deactivate', 'Deactivate an agent', () => import('./agents/deactivate.ts')),
    entry('agents archive', 'Archive a deactivated agent', () => import('./agents/archive.ts')),
    entry('agents trace', 'Show the recorded activity of an agent', () => import('./agents/trace.ts')),
    entry('tools list', 'List the tools of a workflow file, a module and MCP servers', () => import('./tools/list.ts')),
    entry('tools call', 'Call a tool once', () => import('./tools/call.ts')),
    entry('a2a discover', 'Show the card of an A2A agent', () => import('./a2a/discover.ts')),
    entry('mcp connect', 'Connect to an MCP server and list its tools', () => import('./mcp/connect.ts')),
  ],
  Server: [
    entry('dev', 'Run a server on this machine, with embedded SQLite', () => import('./dev.ts')),
    entry('console', 'Print a one-time link to the console, or open it in the browser', () => import('./console.ts')),
    entry('serve', 'Run a production server, configured by the environment', () => import('./serve.ts')),
  ],
  Administration: [
    entry('backup', 'Copy an SQLite database to a file, beside a server, and check the copy', () => import('./backup.ts')),
    entry('restore', 'Put a backup in the place of an SQLite database, which is kept', () => import('./restore.ts')),
    entry('db status', 'Show the content, the schema version and the runtimes of a database', () => import('./db/status.ts')),
    entry('db migrate', 'Migrate the schema of a database to the newest version', () => import('./db/migrate.ts')),
    entry('db check', 'Check that logs, snapshots and the audit chain agree', () => import('./db/check.ts')),
    entry('db log', 'Print the stored log of an execution, directly from the database', () => import('./db/log.ts')),
    entry('db copy', 'Copy a database, from SQLite to PostgreSQL or to a compact file', () => import('./db/copy.ts')),
    entry('token create', 'Create an API token, directly in the database', () => import('./token/create.ts')),
    entry('token list', 'List the API tokens of a tenant, directly from the database', () => import('./token/list.ts')),
    entry('token revoke', 'Revoke an API token, directly in the database', () => import('./token/revoke.ts')),
    entry('tenants list', 'List tenants with their limits', () => import('./tenants/list.ts')),
    entry('tenants get', 'Show a tenant: limits, policy, usage', () => import('./tenants/get.ts')),
    entry('tenants create', 'Create a tenant', () => import('./tenants/create.ts')),
    entry('tenants correct', 'Correct what a tenant has used in a month', () => import('./tenants/correct.ts')),
    entry('tenants recount', 'Count what a tenant stores anew', () => import('./tenants/recount.ts')),
    entry('tenants update', 'Change a tenant: name, status, policy, limits', () => import('./tenants/update.ts')),
    entry('audit list', 'Show recorded events and actions with their actors, newest first', () => import('./audit/list.ts')),
    entry('audit verify', 'Verify that the audit log, or an export of it, was not changed', () => import('./audit/verify.ts')),
    entry('audit export', 'Export the audit log with its proofs', () => import('./audit/export.ts')),
    entry('audit events', 'Print the events of an exported audit log', () => import('./audit/events.ts')),
    entry('webhooks create', 'Create a webhook: events are sent to a URL', () => import('./webhooks/create.ts')),
    entry('webhooks list', 'List webhooks and their delivery state', () => import('./webhooks/list.ts')),
    entry('webhooks get', 'Show a webhook', () => import('./webhooks/get.ts')),
    entry('webhooks update', 'Change a webhook, enable or disable it, rotate its secret', () => import('./webhooks/update.ts')),
    entry('webhooks delete', 'Delete a webhook', () => import('./webhooks/delete.ts')),
    entry(
      'webhooks deliveries',
      'List the deliveries of a webhook: delivered, pending and failed',
      () => import('./webhooks/deliveries.ts'),
    ),
    entry('webhooks replay', 'Redeliver failed deliveries of a webhook', () => import('./webhooks/replay.ts')),
    entry('webhooks test', 'Send a ping to a webhook', () => import('./webhooks/test.ts')),
    entry('worker', 'Run an external worker: the functions of a module', () => import('./worker.ts')),
    entry('workers', 'List recently active workers and runtimes', () => import('./workers.ts')),
    entry('completion', 'Print a completion script for bash, zsh or fish', async () => ({
      command: (await import('./completion.ts')).completionCommand(() => COMMANDS),
    })),
  ],
} satisfies Readonly<Record<string, readonly CommandEntry[]>>;

export const COMMANDS: readonly CommandEntry[] = Object.values(CATEGORIES).flat();

function entry(
  names: string | CommandEntry['names'],
  summary: string,
  importModule: () => Promise<{ readonly command: CommandClass<Context> }>,
): CommandEntry {
  const all: CommandEntry['names'] = typeof names === 'string' ? [names] : names;
  const load = async (): Promise<CommandClass<Context>> => {
    const { command } = await importModule();
    command.paths = all.map((name) => name.split(' '));
    return command;
  };
  return { names: all, summary, load };
}

/** The commands of a resource, which are in one module: a summary for each verb. */
function resource<Verb extends string>(
  noun: string,
  importModule: () => Promise<{ readonly commands: Readonly<Record<Verb, CommandClass<Context>>> }>,
  summaries: Readonly<Record<Verb, string>>,
): CommandEntry[] {
  return (Object.entries(summaries) as [Verb, string][]).map(([verb, summary]) =>
    entry(`${noun} ${verb}`, summary, async () => ({ command: (await importModule()).commands[verb] })),
  );
}
