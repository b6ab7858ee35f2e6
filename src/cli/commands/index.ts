import type { CommandClass } from 'clipanion';
import type { Context } from '../context.ts';

export interface CommandEntry {
  /** What is typed, the usual name first. */
  readonly names: readonly [string, ...string[]];
  readonly category: 'Workflows' | 'Executions' | 'Server' | 'Administration';
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
    names: ['event', 'resume'],
    category: 'Executions',
    summary: 'Send an external event to an execution that waits for it',
    load: async () => (await import('./event.ts')).EventCommand,
  },
  {
    names: ['cancel'],
    category: 'Executions',
    summary: 'Cancel an execution, its work under way and its child executions',
    load: async () => (await import('./cancel.ts')).CancelCommand,
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
    names: ['workers'],
    category: 'Administration',
    summary: 'List the workers seen lately, and the runtimes themselves',
    load: async () => (await import('./workers.ts')).WorkersCommand,
  },
];
