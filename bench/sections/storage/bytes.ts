import { readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { JsonObject } from '../../../machines/json.ts';
import type { Runtime } from '../../../src/runtime/types/runtime.ts';
import { exact, perCommit, type Row, type Table, wall } from '../../figures.ts';
import { CALLER, completeMany, openRuntime } from '../../subjects/in-process.ts';
import { boundBytes, type Executed, recordStatements } from '../../subjects/recorder.ts';
import { linear, rounds, WAITING } from '../../subjects/workflows.ts';

/** Bytes written, measured in three ways. */
export interface BytesWritten {
  /** Bytes of the values bound to SQL statements. */
  readonly bound: number;
  /** Bytes passed to write(2) by this process, including WAL pages and WAL checkpoints. Null without /proc. */
  readonly written: number | null;
  /** Growth of the database file after a WAL checkpoint. */
  readonly grown: number;
}

const STEPS = 1_000;
const STATE_BYTES = 1_000_000;
const PATCH_BYTES = 1_024;
/** So many that the first pages of tables do not matter. */
const EXECUTIONS = 10_000;
/** How full the pages of a table are depends on which executions share a commit: audit blocks have 265 to 276 B. Their sum hardly does. */
const TABLE_TOLERANCE = 0.1;
const BYTES_COLUMNS = [exact('bound to SQL statements', 0), perCommit('handed to write(2)', 0), exact('growth of the file', 0)];

/** Measures an execution with a state of 1 MB, of which each of 1,000 steps changes 1 KB. */
export async function largeState(folder: string): Promise<readonly Table[]> {
  const input = { n: 0, ballast: 'x'.repeat(STATE_BYTES) };
  const atRest = await measure(folder, 'large-at-rest', WAITING, async (runtime) => {
    await runtime.start(CALLER, { workflowId: 'waiting', input });
  });
  const stepped = await measure(folder, 'large-stepped', rounds('grow', STEPS), async (runtime) => {
    const startedMs = performance.now();
    const { executionId } = await runtime.start(CALLER, { workflowId: 'rounds-grow', input });
    const view = await runtime.settled(CALLER.tenantId, executionId, 60_000);
    if (view.status !== 'completed' || view.stepsExecuted !== STEPS) {
      throw new Error(`${view.status} after ${view.stepsExecuted} steps: ${view.error ?? 'no error'}`);
    }
    return (performance.now() - startedMs) / 1000;
  });
  const steps = subtract(stepped.bytes, atRest.bytes);
  return [
    {
      title: `Large state: ${STEPS} steps of ${PATCH_BYTES} B on a state of ${STATE_BYTES} B; bytes`,
      columns: [...BYTES_COLUMNS, wall('seconds', 1)],
      rows: [
        { label: 'storing the input', values: [...columns(atRest.bytes), null] },
        { label: 'the steps', values: [...columns(steps), stepped.result] },
      ],
    },
    {
      title: 'Large state: bytes of the steps ÷ bytes of their patches',
      columns: BYTES_COLUMNS.map((column) => ({ ...column, digits: 2 })),
      rows: [
        {
          label: 'steps ÷ patches',
          values: columns(steps).map((bytes) => (bytes === null ? null : bytes / (STEPS * PATCH_BYTES))),
        },
      ],
    },
  ];
}

export async function smallExecutions(folder: string): Promise<readonly Table[]> {
  const { bytes, tables } = await measure(folder, 'small-executions', linear(3), (runtime) =>
    completeMany(runtime, EXECUTIONS, 64),
  );
  const each = (value: number | null) => (value === null ? null : value / EXECUTIONS);
  return [
    {
      title: `Three-node executions: bytes each, of ${EXECUTIONS.toLocaleString('en-US')}`,
      columns: BYTES_COLUMNS,
      rows: [{ label: 'three-node execution', values: columns(bytes).map(each) }],
    },
    {
      title: 'Three-node executions: file bytes each, by table and index',
      columns: [{ ...exact('B', 0), tolerance: TABLE_TOLERANCE }],
      rows: byTable(tables),
    },
  ];
}

/** The tables and indices that grew. */
function byTable({ before, after }: { readonly before: Sizes; readonly after: Sizes }): readonly Row[] {
  return [...after]
    .map(([label, size]) => ({ label, values: [(size - (before.get(label) ?? 0)) / EXECUTIONS] }))
    .filter(({ values: [each] }) => (each ?? 0) >= 0.5)
    .sort((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0));
}

type Sizes = ReadonlyMap<string, number>;

/** Bytes of the pages of each table and index. */
function sizes(path: string): Sizes {
  const db = new Database(path, { readonly: true });
  try {
    const query =
      'SELECT s.tbl_name, d.name, sum(d.pgsize) FROM dbstat d LEFT JOIN sqlite_schema s ON s.name = d.name GROUP BY d.name';
    const rows = db.prepare<[], [string | null, string, number]>(query).raw().all();
    return new Map(rows.map(([table, name, bytes]) => [table === null || table === name ? name : `${table}: ${name}`, bytes]));
  } finally {
    db.close();
  }
}

/** Runs `body` on a database that knows `document`, and measures what is written meanwhile. */
export async function measure<T>(folder: string, name: string, document: JsonObject, body: (runtime: Runtime) => Promise<T>) {
  const empty = await openRuntime(folder, name);
  await empty.runtime.register(CALLER, document);
  await empty.close();
  const sizeBefore = statSync(empty.path).size;
  const before = sizes(empty.path);
  const open = await openRuntime(folder, name);
  const writtenBefore = writtenBytes();
  let recorded: { readonly result: T; readonly statements: readonly Executed[] };
  try {
    recorded = await recordStatements(() => body(open.runtime));
  } finally {
    await open.close();
  }
  const writtenAfter = writtenBytes();
  const bytes: BytesWritten = {
    bound: boundBytes(recorded.statements.filter(({ writes }) => writes)),
    written: writtenBefore === null || writtenAfter === null ? null : writtenAfter - writtenBefore,
    grown: statSync(open.path).size - sizeBefore,
  };
  return { result: recorded.result, bytes, tables: { before, after: sizes(open.path) } };
}

function columns({ bound, written, grown }: BytesWritten): readonly (number | null)[] {
  return [bound, written, grown];
}

function subtract(all: BytesWritten, part: BytesWritten): BytesWritten {
  const written = all.written === null || part.written === null ? null : all.written - part.written;
  return { bound: all.bound - part.bound, written, grown: all.grown - part.grown };
}

function writtenBytes(): number | null {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
