import { hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { digestStream, hashBlock, type StreamDigest, signBlock } from '../../store/audit/digest.ts';
import type { StoredEvent } from '../../store/log/stored-event.ts';
import { readMigrations } from '../../store/migrate.ts';
import type { NewExecution } from '../../store/port/executions.ts';
import { APPLICATION_ID } from '../../store/sqlite/application-id.ts';
import { MIGRATIONS } from '../../store/sqlite/open.ts';
import { type Golden, goldenNames, isRecorded, readGolden } from './golden.ts';
import { Random } from './random.ts';

const VERSION = 13;
const KEY = 'golden';
const START_MS = 1_767_225_600_000;
const TENANTS = ['default', 'acme', 'globex'];
const ACTORS = [
  { actorId: 'runtime-1', actorType: 'system', onBehalfOf: null, request: null },
  { actorId: 'operator-1', actorType: 'human', onBehalfOf: null, request: '{"id":"r-1","method":"POST","path":"/executions"}' },
  { actorId: 'operator-1', actorType: 'human', onBehalfOf: 'worker-7', request: null },
  { actorId: 'agent:planner', actorType: 'agent', onBehalfOf: 'jane', request: null },
  { actorId: 'agent:planner', actorType: 'agent', onBehalfOf: null, request: null },
] as const;
/** Executions that have begun and not ended at one time. */
const CONCURRENT = 64;
const STREAMS_PER_BLOCK = 8;
const EVENTS_PER_COMMIT = 5;

/** An execution that is being written. */
interface Writing {
  readonly id: string;
  readonly tenantId: string;
  readonly golden: Golden;
  readonly create: NewExecution;
  seq: number;
}

/** An empty database as schema version 13 left it. */
export function createSchema13(path: string): Database.Database {
  const db = new Database(path);
  db.pragma('page_size = 8192');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = OFF');
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.exec(
    'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  );
  const record = db.prepare('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)');
  for (const { version, name, sql } of readMigrations(MIGRATIONS).slice(0, VERSION)) {
    db.exec(sql);
    record.run(version, name, START_MS);
  }
  return db;
}

/** Writes executions into a new database of schema version 13, with a signed audit chain. Each has the log of a golden execution. */
export function writeSchema13(path: string, executions: number, seed: number): void {
  const db = createSchema13(path);
  db.transaction(() => new Writer(db, executions, new Random(seed)).run())();
  db.close();
}

class Writer {
  readonly #random: Random;
  readonly #logs = goldenNames().map(readGolden).filter(isRecorded);
  readonly #insertHead: Database.Statement;
  readonly #insertLabel: Database.Statement;
  readonly #insertEvent: Database.Statement;
  readonly #insertBlock: Database.Statement;
  readonly #executions: number;
  readonly #writing: Writing[] = [];
  #started = 0;
  #block = 0;
  #hash: string;

  constructor(db: Database.Database, executions: number, random: Random) {
    this.#random = random;
    this.#executions = executions;
    this.#hash = db.prepare<[], string>('SELECT id FROM audit_chain').pluck().get() ?? '';
    const columns = `id, tenant_id, workflow_id, workflow_version, revision, labels, depth, created_at_ms, status, seq, steps, local_work,
      updated_at_ms, completed_at_ms, snapshot_seq`;
    const values = `@id, @tenantId, @workflowId, @workflowVersion, @revision, @labels, 0, @createdAtMs, @status, @seq, 1, 0, @atMs, @completedAtMs, 0`;
    this.#insertHead = db.prepare(`INSERT INTO executions (${columns}) VALUES (${values})`);
    this.#insertLabel = db.prepare("INSERT INTO execution_labels (tenant_id, key, execution_id, value) VALUES (?, 'case', ?, ?)");
    this.#insertEvent =
      db.prepare(`INSERT INTO events (execution_id, tenant_id, seq, type, node_id, at_ms, actor_id, actor_type, on_behalf_of,
      request, data) VALUES (@id, @tenantId, @seq, @type, @nodeId, @atMs, @actorId, @actorType, @onBehalfOf, @request, @data)`);
    this.#insertBlock = db.prepare(`INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature)
      VALUES (@block, @atMs, @writer, @streams, @hash, @signature)`);
  }

  run(): void {
    while (this.#started < this.#executions || this.#writing.length > 0) {
      this.#block += 1;
      const atMs = START_MS + this.#block * 10;
      const streams: StreamDigest[] = [];
      const count = this.#random.between(1, STREAMS_PER_BLOCK);
      for (const one of this.#choose(count)) streams.push(this.#commit(one, atMs));
      this.#seal(atMs, streams);
    }
  }

  /** Different executions, which begin unless enough have begun. */
  #choose(count: number): ReadonlySet<Writing> {
    const chosen = new Set<Writing>();
    for (let each = 0; each < count; each += 1) {
      if (this.#writing.length < CONCURRENT && this.#started < this.#executions) this.#writing.push(this.#start());
      if (this.#writing.length > 0) chosen.add(this.#random.pick(this.#writing));
    }
    return chosen;
  }

  #start(): Writing {
    this.#started += 1;
    const golden = this.#random.pick(this.#logs);
    const id = `exec_${this.#started.toString(16).padStart(32, '0')}`;
    const tenantId = this.#random.pick(TENANTS);
    const create = {
      workflowId: String(golden.document.workflow_id),
      workflowVersion: '1',
      revision: hash('sha256', JSON.stringify(golden.document)),
      labels: `{"case":"${this.#random.between(1, 5)}"}`,
      parentId: null,
      depth: 0,
      deadlineAtMs: null,
      createdAtMs: START_MS + this.#started,
    };
    return { id, tenantId, golden, create, seq: 0 };
  }

  #commit(one: Writing, atMs: number): StreamDigest {
    const { id, tenantId, golden, create } = one;
    const context = { atMs, ...this.#random.pick(ACTORS) };
    const chosen = golden.events.slice(one.seq, one.seq + this.#random.between(1, EVENTS_PER_COMMIT));
    const rows = chosen.map(
      ({ type, node_id: nodeId, data }, index): StoredEvent => ({
        ...context,
        seq: one.seq + index + 1,
        type,
        nodeId,
        data: this.#text(data),
      }),
    );
    for (const row of rows) this.#insertEvent.run({ id, tenantId, ...row });
    const range = { version: 1, tenantId, executionId: id, firstSeq: one.seq + 1, lastSeq: one.seq + rows.length } as const;
    const digest = digestStream(range, one.seq === 0 ? create : null, rows);
    one.seq += rows.length;
    if (one.seq === golden.events.length) this.#end(one, atMs);
    return { ...range, digest };
  }

  /** Mostly as this release writes it. */
  #text(data: unknown): string {
    return this.#random.chance(0.02) ? JSON.stringify(data, null, 1) : JSON.stringify(data);
  }

  #end(one: Writing, atMs: number): void {
    const { id, tenantId, create, seq } = one;
    const status = this.#random.pick(['completed', 'completed', 'failed', 'paused', 'running']);
    const completedAtMs = status === 'completed' || status === 'failed' ? atMs : null;
    this.#insertHead.run({ id, tenantId, ...create, status, seq, atMs, completedAtMs });
    this.#insertLabel.run(tenantId, id, (JSON.parse(create.labels) as { case: string }).case);
    this.#writing.splice(this.#writing.indexOf(one), 1);
  }

  #seal(atMs: number, digests: readonly StreamDigest[]): void {
    const block = { block: this.#block, atMs, writer: 'runtime-1', streams: digests };
    this.#hash = hashBlock(this.#hash, block);
    const streams = digests.map((s) => [s.tenantId, s.executionId, s.firstSeq, s.lastSeq, s.digest]);
    const sealed = { hash: this.#hash, signature: signBlock(KEY, this.#hash) };
    this.#insertBlock.run({ ...block, ...sealed, streams: JSON.stringify(streams) });
  }
}
