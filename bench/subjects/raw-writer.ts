import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';

/**
 * The yardstick of the storage: a plain loop that writes what a durable runtime has to record of three-node executions, on its own small
 * schema. Per commit of an execution: its events as one text for each actor, its head row, and a SHA-256 over the texts. A transaction holds
 * one commit each of `concurrency` executions, and a block that names them and chains their digests. Has no code in common with the runtime's
 * storage.
 */
const SCHEMA = `
  CREATE TABLE executions (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant_id TEXT NOT NULL, workflow_id TEXT NOT NULL,
    status TEXT NOT NULL, seq INTEGER NOT NULL, steps INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL);
  CREATE TABLE entries (position INTEGER PRIMARY KEY, execution INTEGER NOT NULL, seq INTEGER NOT NULL, events INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, actor INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (execution, seq));
  CREATE TABLE blocks (number INTEGER PRIMARY KEY, streams BLOB NOT NULL, hash BLOB NOT NULL);
`;
const INSERT_ENTRY = 'INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)';
const INSERT_HEAD = 'INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
const UPDATE_HEAD = 'UPDATE executions SET status = ?, seq = ?, steps = ?, updated_at_ms = ? WHERE number = ? AND seq = ?';
const INSERT_BLOCK = 'INSERT INTO blocks VALUES (?, ?, ?)';

interface Fact {
  /** One letter. */
  readonly type: string;
  readonly node: string | null;
  /** The values of its data, without the names. */
  readonly values: readonly unknown[];
}

const STEPS = ['step-1', 'step-2', 'step-3'] as const;
const CLIENT = 1;
const RUNTIME = 2;
/** Commits of one execution: its start, and the result of each node. */
export const COMMITS = STEPS.length + 1;

interface Execution {
  readonly number: number;
  readonly id: string;
  seq: number;
}

/** The facts of commit 0, 1, 2 or 3, by actor. */
function factsOf(commit: number): readonly (readonly [actor: number, facts: readonly Fact[]])[] {
  const ended = STEPS[commit - 1];
  const begun = STEPS[commit];
  const scheduled = (node: string): Fact => ({ type: 'I', node, values: [] });
  const started = (node: string): Fact => ({ type: 'J', node, values: [{ n: commit }] });
  if (ended === undefined) {
    const first: Fact = { type: 'A', node: null, values: ['linear-3', '1', { n: 0 }] };
    return [
      [CLIENT, [first, scheduled(STEPS[0])]],
      [RUNTIME, [started(STEPS[0])]],
    ];
  }
  const done: readonly Fact[] = [
    { type: 'K', node: ended, values: ['work', 1] },
    { type: 'L', node: ended, values: [{ n: commit }, [begun ?? 'end'], 1] },
  ];
  const next: readonly Fact[] =
    begun === undefined ? [{ type: 'B', node: null, values: [{ n: commit }] }] : [scheduled(begun), started(begun)];
  return [[RUNTIME, [...done, ...next]]];
}

function bodyOf(facts: readonly Fact[]): string {
  let body = '';
  for (const { type, node, values } of facts) {
    body += `\n${type}${node ?? ''}`;
    for (const value of values) body += `\t${JSON.stringify(value)}`;
  }
  return body;
}

export class RawWriter {
  readonly #db: Database.Database;
  readonly #begin;
  readonly #commit;
  readonly #insertEntry;
  readonly #insertHead;
  readonly #updateHead;
  readonly #insertBlock;
  #executions = 0;
  #position = 0;
  #blocks = 0;
  #hash: Buffer = Buffer.alloc(32);

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('wal_autocheckpoint = 4096');
    this.#db.exec(SCHEMA);
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#db.prepare('COMMIT');
    this.#insertEntry = this.#db.prepare(INSERT_ENTRY);
    this.#insertHead = this.#db.prepare(INSERT_HEAD);
    this.#updateHead = this.#db.prepare(UPDATE_HEAD);
    this.#insertBlock = this.#db.prepare(INSERT_BLOCK);
  }

  /** Writes `concurrency` executions from start to completion, in four transactions. */
  write(concurrency: number): void {
    const executions = Array.from({ length: concurrency }, () => this.#newExecution());
    for (let commit = 0; commit < COMMITS; commit += 1) {
      this.#begin.run();
      const streams = Buffer.concat(executions.flatMap((execution) => this.#writeCommit(execution, commit)));
      this.#hash = createHash('sha256').update(this.#hash).update(streams).digest();
      this.#blocks += 1;
      this.#insertBlock.run(this.#blocks, streams, this.#hash);
      this.#commit.run();
    }
  }

  /** Number of executions written. */
  get executions(): number {
    return this.#executions;
  }

  close(): void {
    this.#db.close();
  }

  /** Returns what the block says of it: execution, range, digest. */
  #writeCommit(execution: Execution, commit: number): readonly Buffer[] {
    const { number, id, seq: from } = execution;
    const atMs = Date.now();
    const hash = createHash('sha256').update(id);
    for (const [actor, facts] of factsOf(commit)) {
      const body = bodyOf(facts);
      execution.seq += facts.length;
      this.#position += facts.length;
      this.#insertEntry.run(this.#position, number, execution.seq, facts.length, atMs, actor, body);
      hash.update(body);
    }
    const { seq } = execution;
    if (from === 0) this.#insertHead.run(number, id, 'default', 'linear-3', 'running', seq, 0, atMs, atMs);
    else this.#updateHead.run(commit === COMMITS - 1 ? 'completed' : 'running', seq, commit, atMs, number, from);
    return [Buffer.from(id.slice('exec_'.length), 'hex'), Buffer.of(from, seq - from), hash.digest()];
  }

  #newExecution(): Execution {
    this.#executions += 1;
    const id = `exec_${Date.now().toString(16).padStart(12, '0')}70008${this.#executions.toString(16).padStart(15, '0')}`;
    return { number: this.#executions, id, seq: 0 };
  }
}
