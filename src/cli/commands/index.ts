import type { CommandClass } from 'clipanion';
import type { Context } from '../context.ts';

export interface CommandEntry {
  /** What is typed, the usual name first. */
  readonly names: readonly [string, ...string[]];
  readonly category: 'Workflows' | 'Executions' | 'Agents' | 'Server' | 'Administration';
  /** One line, no full stop. */
  readonly summary: string;
  /** Loaded when it is used: the others need not be read for it. */
  readonly load: () => Promise<CommandClass<Context>>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    names: ['run'],
    category: 'Workflows',
    summary: 'Run a workflow file, or a registered workflow, and follow it',
    load: async () => (await import('./run.ts')).RunCommand,
  },
  {
    names: ['validate'],
    category: 'Workflows',
    summary: 'Check workflow files, with every problem at its line',
    load: async () => (await import('./validate.ts')).ValidateCommand,
  },
  {
    names: ['deploy'],
    category: 'Workflows',
    summary: 'Register the workflows of files on a server, with their schedules',
    load: async () => (await import('./deploy.ts')).DeployCommand,
  },
  {
    names: ['test'],
    category: 'Workflows',
    summary: 'Play the tests of workflow files, and everything else that can happen',
    load: async () => (await import('./test.ts')).TestCommand,
  },
  {
    names: ['visualize', 'visualise'],
    category: 'Workflows',
    summary: 'Draw a workflow, or what an execution made of it',
    load: async () => (await import('./visualize.ts')).VisualizeCommand,
  },
  {
    names: ['cron create'],
    category: 'Workflows',
    summary: 'Start a workflow at the times of a cron expression',
    load: async () => (await import('./cron/create.ts')).CronCreateCommand,
  },
  {
    names: ['cron list'],
    category: 'Workflows',
    summary: 'List cron jobs, with their next and last runs',
    load: async () => (await import('./cron/list.ts')).CronListCommand,
  },
  {
    names: ['cron get'],
    category: 'Workflows',
    summary: 'Show a cron job',
    load: async () => (await import('./cron/get.ts')).CronGetCommand,
  },
  {
    names: ['cron pause'],
    category: 'Workflows',
    summary: 'Have a cron job start nothing for a while',
    load: async () => (await import('./cron/pause.ts')).CronPauseCommand,
  },
  {
    names: ['cron resume'],
    category: 'Workflows',
    summary: 'Let a paused cron job go on',
    load: async () => (await import('./cron/resume.ts')).CronResumeCommand,
  },
  {
    names: ['cron trigger'],
    category: 'Workflows',
    summary: 'Run a cron job now',
    load: async () => (await import('./cron/trigger.ts')).CronTriggerCommand,
  },
  {
    names: ['cron delete'],
    category: 'Workflows',
    summary: 'Delete a cron job',
    load: async () => (await import('./cron/delete.ts')).CronDeleteCommand,
  },
  {
    names: ['ls'],
    category: 'Executions',
    summary: 'List executions, newest first',
    load: async () => (await import('./ls.ts')).LsCommand,
  },
  {
    names: ['inspect'],
    category: 'Executions',
    summary: 'Show an execution: status, timeline, state',
    load: async () => (await import('./inspect.ts')).InspectCommand,
  },
  {
    names: ['watch'],
    category: 'Executions',
    summary: 'Watch an execution on the whole terminal, and act on it',
    load: async () => (await import('./watch.ts')).WatchCommand,
  },
  {
    names: ['diff'],
    category: 'Executions',
    summary: 'Compare the state at two points of an execution, or of two',
    load: async () => (await import('./diff.ts')).DiffCommand,
  },
  {
    names: ['replay'],
    category: 'Executions',
    summary: "Fold an execution's log again and compare with what is stored",
    load: async () => (await import('./replay.ts')).ReplayCommand,
  },
  {
    names: ['events'],
    category: 'Executions',
    summary: "Print an execution's event log",
    load: async () => (await import('./events.ts')).EventsCommand,
  },
  {
    names: ['approvals'],
    category: 'Executions',
    summary: 'Show what waits for approval, and what was decided',
    load: async () => (await import('./approvals.ts')).ApprovalsCommand,
  },
  {
    names: ['approve'],
    category: 'Executions',
    summary: 'Approve or reject what an execution waits for',
    load: async () => (await import('./approve.ts')).ApproveCommand,
  },
  {
    names: ['event'],
    category: 'Executions',
    summary: 'Send an external event to an execution that waits for it',
    load: async () => (await import('./event.ts')).EventCommand,
  },
  {
    names: ['pause'],
    category: 'Executions',
    summary: 'Hold an execution: nothing new begins until it is resumed',
    load: async () => (await import('./pause.ts')).PauseCommand,
  },
  {
    names: ['resume'],
    category: 'Executions',
    summary: 'Let a held execution go on, or send the event it waits for',
    load: async () => (await import('./resume.ts')).ResumeCommand,
  },
  {
    names: ['retry'],
    category: 'Executions',
    summary: 'Run what failed of an execution again, or of all that match',
    load: async () => (await import('./retry.ts')).RetryCommand,
  },
  {
    names: ['fork'],
    category: 'Executions',
    summary: 'Start an execution that goes on from a point of another',
    load: async () => (await import('./fork.ts')).ForkCommand,
  },
  {
    names: ['cancel'],
    category: 'Executions',
    summary: 'Cancel an execution, or all that match, with their work and child executions',
    load: async () => (await import('./cancel.ts')).CancelCommand,
  },
  {
    names: ['jobs list'],
    category: 'Executions',
    summary: 'List bulk jobs, newest first',
    load: async () => (await import('./jobs/list.ts')).JobsListCommand,
  },
  {
    names: ['jobs get'],
    category: 'Executions',
    summary: 'Show a bulk job and how far it has come',
    load: async () => (await import('./jobs/get.ts')).JobsGetCommand,
  },
  {
    names: ['jobs start'],
    category: 'Executions',
    summary: 'Cancel, retry, pause or resume all executions that match',
    load: async () => (await import('./jobs/start.ts')).JobsStartCommand,
  },
  {
    names: ['jobs cancel'],
    category: 'Executions',
    summary: 'Stop a bulk job',
    load: async () => (await import('./jobs/cancel.ts')).JobsCancelCommand,
  },
  {
    names: ['artifacts put'],
    category: 'Executions',
    summary: 'Keep a file under its hash',
    load: async () => (await import('./artifacts/put.ts')).ArtifactsPutCommand,
  },
  {
    names: ['artifacts get'],
    category: 'Executions',
    summary: 'Get what is kept under a hash',
    load: async () => (await import('./artifacts/get.ts')).ArtifactsGetCommand,
  },
  {
    names: ['agents list'],
    category: 'Agents',
    summary: 'List agents, the one registered last first',
    load: async () => (await import('./agents/list.ts')).AgentsListCommand,
  },
  {
    names: ['agents search'],
    category: 'Agents',
    summary: 'Find the agents that have all of some skills',
    load: async () => (await import('./agents/search.ts')).AgentsSearchCommand,
  },
  {
    names: ['agents inspect'],
    category: 'Agents',
    summary: 'Show an agent: status, address, skills',
    load: async () => (await import('./agents/inspect.ts')).AgentsInspectCommand,
  },
  {
    names: ['agents register'],
    category: 'Agents',
    summary: 'Register an agent with its card',
    load: async () => (await import('./agents/register.ts')).AgentsRegisterCommand,
  },
  {
    names: ['agents discover'],
    category: 'Agents',
    summary: 'Register the agent behind a URL',
    load: async () => (await import('./agents/discover.ts')).AgentsDiscoverCommand,
  },
  {
    names: ['agents activate'],
    category: 'Agents',
    summary: 'Make an agent active',
    load: async () => (await import('./agents/activate.ts')).AgentsActivateCommand,
  },
  {
    names: ['agents pause'],
    category: 'Agents',
    summary: 'Take an agent out of service for a while',
    load: async () => (await import('./agents/pause.ts')).AgentsPauseCommand,
  },
  {
    names: ['agents deactivate'],
    category: 'Agents',
    summary: 'Take an agent out of service',
    load: async () => (await import('./agents/deactivate.ts')).AgentsDeactivateCommand,
  },
  {
    names: ['agents archive'],
    category: 'Agents',
    summary: 'Put away an agent that is out of service',
    load: async () => (await import('./agents/archive.ts')).AgentsArchiveCommand,
  },
  {
    names: ['agents trace'],
    category: 'Agents',
    summary: 'Show what is on record about an agent',
    load: async () => (await import('./agents/trace.ts')).AgentsTraceCommand,
  },
  {
    names: ['dev'],
    category: 'Server',
    summary: 'Run a server on this machine, with embedded SQLite',
    load: async () => (await import('./dev.ts')).DevCommand,
  },
  {
    names: ['serve'],
    category: 'Server',
    summary: 'Run the server for production, configured by the environment',
    load: async () => (await import('./serve.ts')).ServeCommand,
  },
  {
    names: ['db status'],
    category: 'Administration',
    summary: 'Show what is in a database, its schema, and who works on it',
    load: async () => (await import('./db/status.ts')).DbStatusCommand,
  },
  {
    names: ['db migrate'],
    category: 'Administration',
    summary: 'Bring the schema of a database to the newest version',
    load: async () => (await import('./db/migrate.ts')).DbMigrateCommand,
  },
  {
    names: ['db check'],
    category: 'Administration',
    summary: 'Check that logs, snapshots and the audit chain agree',
    load: async () => (await import('./db/check.ts')).DbCheckCommand,
  },
  {
    names: ['db copy'],
    category: 'Administration',
    summary: 'Copy a database, from SQLite to PostgreSQL or to a compact file',
    load: async () => (await import('./db/copy.ts')).DbCopyCommand,
  },
  {
    names: ['token create'],
    category: 'Administration',
    summary: 'Make an API token, on the database itself',
    load: async () => (await import('./token/create.ts')).TokenCreateCommand,
  },
  {
    names: ['token list'],
    category: 'Administration',
    summary: 'List the API tokens of a tenant, from the database itself',
    load: async () => (await import('./token/list.ts')).TokenListCommand,
  },
  {
    names: ['token revoke'],
    category: 'Administration',
    summary: 'Revoke an API token, on the database itself',
    load: async () => (await import('./token/revoke.ts')).TokenRevokeCommand,
  },
  {
    names: ['tenants list'],
    category: 'Administration',
    summary: 'List tenants, with their limits',
    load: async () => (await import('./tenants/list.ts')).TenantsListCommand,
  },
  {
    names: ['tenants get'],
    category: 'Administration',
    summary: 'Show a tenant: limits, policy, what it has used',
    load: async () => (await import('./tenants/get.ts')).TenantsGetCommand,
  },
  {
    names: ['tenants create'],
    category: 'Administration',
    summary: 'Create a tenant',
    load: async () => (await import('./tenants/create.ts')).TenantsCreateCommand,
  },
  {
    names: ['tenants update'],
    category: 'Administration',
    summary: 'Change a tenant: name, status, policy, limits',
    load: async () => (await import('./tenants/update.ts')).TenantsUpdateCommand,
  },
  {
    names: ['audit list'],
    category: 'Administration',
    summary: 'Show what happened and who did it, newest first',
    load: async () => (await import('./audit/list.ts')).AuditListCommand,
  },
  {
    names: ['audit verify'],
    category: 'Administration',
    summary: 'Verify that nobody has changed the audit log, or an export of it',
    load: async () => (await import('./audit/verify.ts')).AuditVerifyCommand,
  },
  {
    names: ['audit export'],
    category: 'Administration',
    summary: 'Export the audit log with its proofs',
    load: async () => (await import('./audit/export.ts')).AuditExportCommand,
  },
  {
    names: ['webhooks create'],
    category: 'Administration',
    summary: 'Have a URL told of events',
    load: async () => (await import('./webhooks/create.ts')).WebhooksCreateCommand,
  },
  {
    names: ['webhooks list'],
    category: 'Administration',
    summary: 'List webhooks, and how they do',
    load: async () => (await import('./webhooks/list.ts')).WebhooksListCommand,
  },
  {
    names: ['webhooks get'],
    category: 'Administration',
    summary: 'Show a webhook',
    load: async () => (await import('./webhooks/get.ts')).WebhooksGetCommand,
  },
  {
    names: ['webhooks update'],
    category: 'Administration',
    summary: 'Change a webhook, enable or disable it, renew its secret',
    load: async () => (await import('./webhooks/update.ts')).WebhooksUpdateCommand,
  },
  {
    names: ['webhooks delete'],
    category: 'Administration',
    summary: 'Remove a webhook',
    load: async () => (await import('./webhooks/delete.ts')).WebhooksDeleteCommand,
  },
  {
    names: ['webhooks deliveries'],
    category: 'Administration',
    summary: 'List what was sent to a webhook, and what is still to be sent',
    load: async () => (await import('./webhooks/deliveries.ts')).WebhooksDeliveriesCommand,
  },
  {
    names: ['webhooks replay'],
    category: 'Administration',
    summary: 'Deliver again what has failed',
    load: async () => (await import('./webhooks/replay.ts')).WebhooksReplayCommand,
  },
  {
    names: ['webhooks test'],
    category: 'Administration',
    summary: 'Send a ping to a webhook',
    load: async () => (await import('./webhooks/test.ts')).WebhooksTestCommand,
  },
  {
    names: ['workers'],
    category: 'Administration',
    summary: 'List the workers seen lately, and the runtimes themselves',
    load: async () => (await import('./workers.ts')).WorkersCommand,
  },
  {
    names: ['completion'],
    category: 'Administration',
    summary: 'Print a script that completes commands for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(() => COMMANDS),
  },
];
