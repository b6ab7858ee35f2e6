import { inspect } from 'node:util';

/** Exit codes of `jamjet`. */
export const EXIT = {
  ok: 0,
  /** The command failed, or the followed execution ended without completing. */
  failed: 1,
  /** Invalid command line. */
  usage: 2,
  /** The followed execution has not ended: it is paused and there is no terminal to ask at, or `--timeout` expired. */
  unfinished: 3,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

/** An error for the user: one line, and optionally a hint on what to do. */
export class Failure extends Error {
  readonly hint: string | null;
  readonly exitCode: number;

  constructor(message: string, options: { readonly hint?: string; readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(message, { exitCode: EXIT.usage, ...(hint === undefined ? {} : { hint }) });
}

const HINTS: Readonly<Record<string, string>> = {
  cannot_listen: 'Pass another --port (0 picks a free one), or stop the process that uses it.',
  store_locked: 'Only one runtime may open a database file: stop it, name another database, or use commands with --runtime URL.',
  store_full: 'Free disk space; acknowledged writes are safe.',
  store_read_only: 'Check the permissions of the database and whether it is a replica; acknowledged writes are safe.',
  schema_too_new: 'A newer version of jamjet has migrated this database: upgrade jamjet, or name another database.',
  not_a_database: 'Name another file, or move this one.',
  unknown_token: '`jamjet token list` lists the ids.',
  unknown_database: 'Name it with --db or DATABASE_URL.',
  unknown_tool: '`jamjet tools list` shows the tools of a workflow file, of a module and of jamjet.toml.',
  unknown_execution: '`jamjet ls` lists the executions of a tenant.',
  outside_folder: 'Copy the file into that folder: a workflow names no files elsewhere, also not by a symbolic link.',
  not_migrated: 'Run `jamjet db migrate` first.',
  diagram_too_large: 'Use a text format, which needs no layout: --format mermaid, dot or xstate.',
  not_empty: 'The target must be new: name another one, or, on PostgreSQL, drop and recreate this one.',
};

/** Converts anything thrown to a `Failure`. Errors of this project have a `code`, which selects the hint; stacks are never shown. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (!(thrown instanceof Error)) return new Failure(inspect(thrown), { cause: thrown });
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const hint = HINTS[code];
  return new Failure(thrown.message === '' ? thrown.name : thrown.message, {
    cause: thrown,
    ...(hint === undefined ? {} : { hint }),
  });
}
