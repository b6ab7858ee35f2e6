import { inspect } from 'node:util';

/** What `jamjet` exits with. */
export const EXIT = {
  ok: 0,
  /** The command failed, or the execution it followed did not complete. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The execution is alive but nobody waits for it any more: paused with no one to ask, or `--timeout` is over. */
  unfinished: 3,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

/** An error as the user reads it: one line, and what to do about it. */
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
  cannot_listen: 'Pass another --port (0 picks a free one), or stop what listens there.',
  store_locked: 'One runtime per database file: talk to it with --runtime URL, stop it, or name another database.',
  store_full: 'Make room on the disk; what was acknowledged is safe.',
  store_read_only: 'Check who may write the database, and whether it is a replica; what was acknowledged is safe.',
  schema_too_new: 'A newer version of jamjet wrote this database: upgrade, or name another database.',
  not_a_database: 'Pass another --db, or move the file away.',
  unknown_token: '`jamjet token list` shows the ids.',
  unknown_database: 'Name it with --db or DATABASE_URL.',
  not_migrated: 'Run `jamjet db migrate` first.',
  diagram_too_large: 'mermaid, dot and xstate are not drawn: ask for one of these with --format.',
  not_empty: 'A database is copied into a new one: name another target, or drop and make this one again.',
};

/** Whatever was thrown, as a Failure. Everything this project throws on purpose has a `code`; anything else keeps its text, never its stack. */
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
