import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';

/**
 * The yardstick of the storage: a plain loop that writes what a durable runtime has to record of three-node executions, on its own small
 * schema. Per commit of an execution: its events as rows with JSON data, its head row, and a SHA-256 over the events. A transaction holds one
 * commit each of `concurrency` executions, and a block that chains their digests. Does not depend on the runtime's storage.
 */
const SCHEMA = `
  CREATE TABLE executions (id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, workflow_id TEXT NOT NULL, status TEXT NOT NULL, seq INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (execution_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, node TEXT, data TEXT NOT NULL, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, PRIMARY KEY (execution_id, seq)) WITHOUT ROWID;
  CREATE TABLE blocks (number INTEGER PRIMARY KEY, digests BLOB NOT NULL, hash BLOB NOT NULL);
`;
const INSERT_EVENT = 'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)';
const INSERT_HEAD = 'INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
const UPDATE_HEAD = 'UPDATE executions SET status = ?, seq = ?, updated_at_ms = ?, state = ? WHERE id = ? AND seq = ?';
const INSERT_BLOCK = 'INSERT INTO blocks VALUES (?, ?, ?)';

interface Fact {
  readonly type: string;
  readonly node: string | null;
  readonly data: object;
}

const STEPS = ['step-1', 'step-2', 'step-3'] as const;
const WRITER = 'runtime-0000000000000000';
/** Commits of one execution: its start, and the result of each node. */
export const COMMITS = STEPS.length + 1;

/** The facts of commit 0, 1, 2 or 3. */
function factsOf(commit: number): readonly Fact[] {
  const ended = STEPS[commit - 1];
  const begun = STEPS[commit];
  const facts: Fact[] = [];
  if (ended === undefined) {
    const data = { workflow_id: 'linear-3', workflow_version: '1', initial_input: { n: 0 } };
    facts.push({ type: 'workflow_started', node: null, data });
  } else {
    facts.push({ type: 'tool_call_completed', node: ended, data: { tool: 'work', duration_ms: 0, activation: 1 } });
    const taken = [begun ?? 'end'];
    const data = { output: { n: commit }, patch_from: 'output', duration_ms: 0, activation: 1, taken };
    facts.push({ type: 'node_completed', node: ended, data });
  }
  if (begun === undefined) {
    facts.push({ type: 'workflow_completed', node: null, data: { final_state: { n: commit } } });
  } else {
    const scheduled = { queue_type: 'tool', attempt: 0, in_process: true, activation: 1 };
    facts.push({ type: 'node_scheduled', node: begun, data: scheduled });
    const started = { worker_id: WRITER, attempt: 0, activation: 1, input: { n: commit } };
    facts.push({ type: 'node_started', node: begun, data: started });
  }
  return facts;
}

export class RawWriter {
  readonly #db: Database.Database;
  readonly #begin;
  readonly #commit;
  readonly #insertEvent;
  readonly #insertHead;
  readonly #updateHead;
  readonly #insertBlock;
  #executions = 0;
  #blocks = 0;
  #hash: Buffer = Buffer.alloc(32);

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.exec(SCHEMA);
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#db.prepare('COMMIT');
    this.#insertEvent = this.#db.prepare(INSERT_EVENT);
    this.#insertHead = this.#db.prepare(INSERT_HEAD);
    this.#updateHead = this.#db.prepare(UPDATE_HEAD);
    this.#insertBlock = this.#db.prepare(INSERT_BLOCK);
  }

  /** Writes `concurrency` executions from start to completion, in four transactions. */
  write(concurrency: number): void {
    const ids = Array.from({ length: concurrency }, () => this.#newId());
    const seqs = new Array<number>(concurrency).fill(0);
    for (let commit = 0; commit < COMMITS; commit += 1) {
      this.#begin.run();
      const digests = ids.map((id, i) => {
        const { seq, digest } = this.#writeCommit(id, seqs[i] ?? 0, commit);
        seqs[i] = seq;
        return digest;
      });
      const streams = Buffer.concat(digests);
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

  #writeCommit(id: string, from: number, commit: number): { readonly seq: number; readonly digest: Buffer } {
    const atMs = Date.now();
    const hash = createHash('sha256').update(id);
    let seq = from;
    for (const { type, node, data } of factsOf(commit)) {
      seq += 1;
      const text = JSON.stringify(data);
      this.#insertEvent.run(id, seq, type, node, text, atMs, WRITER);
      hash.update(text);
    }
    const state = JSON.stringify({ n: commit });
    if (from === 0) this.#insertHead.run(id, 'default', 'linear-3', 'running', seq, atMs, atMs, state);
    else this.#updateHead.run(commit === COMMITS - 1 ? 'completed' : 'running', seq, atMs, state, id, from);
    return { seq, digest: hash.digest() };
  }

  #newId(): string {
    this.#executions += 1;
    return `exec_${Date.now().toString(16).padStart(12, '0')}70008${this.#executions.toString(16).padStart(15, '0')}`;
  }
}
