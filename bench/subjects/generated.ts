import type { JsonObject } from '../../machines/json.ts';
import type { CommitUnit, ExecutionWrite } from '../../store/port/commit.ts';
import type { EventRow, ExecutionProgress, NewExecution } from '../../store/port/executions.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { CALLER, withRuntime } from './in-process.ts';

const UNITS_PER_COMMIT = 500;

/** How a copy differs from the execution that it is a copy of. */
export interface Variation {
  /** Of its creation and of its events. */
  readonly atMs: number;
  readonly create?: Partial<NewExecution>;
  readonly progress?: Partial<ExecutionProgress>;
  readonly events?: Partial<EventRow>;
}

/** A database with many executions. */
export interface Generated {
  /** The file, in `folder`. */
  readonly name: string;
  /** Number of executions; those of a workflow are copies of one that a runtime has started. */
  readonly count: number;
  readonly documents: readonly JsonObject[];
  /** Execution `n`, from 0, is a copy of the execution of document `n % documents.length`. */
  readonly vary: (n: number) => Variation;
}

/**
 * Writes the database by the store's own commit, many executions in each, as they are after their first commit: a tenth of the time of starting
 * them, with the same rows. To a runtime that opens it, it looks as if the runtime before it had been killed.
 */
export async function generate(folder: string, { name, count, documents, vary }: Generated): Promise<void> {
  const templates: ExecutionWrite[] = [];
  for (const document of documents) templates.push(await recordStart(folder, `${name}.template-${templates.length}`, document));
  await withRuntime(folder, name, async ({ runtime }) => {
    for (const document of documents) await runtime.register(CALLER, document);
  });
  const store = await openSqlite({ path: `${folder}/${name}.db` });
  try {
    for (let from = 0; from < count; from += UNITS_PER_COMMIT) {
      const units: CommitUnit[] = [];
      for (let n = from; n < Math.min(from + UNITS_PER_COMMIT, count); n += 1) {
        const template = templates[n % templates.length];
        if (template === undefined) throw new RangeError('no documents');
        units.push({ executions: [copyOf(template, n, vary(n))], idempotency: null });
      }
      const rejected = (await store.commit({ atMs: vary(from).atMs, units, singleProcess: true })).find(
        (rejection) => rejection !== null,
      );
      if (rejected !== undefined) throw new Error(`an execution was rejected: ${rejected?.reason}`);
    }
  } finally {
    await store.close();
  }
}

/** Ids sort by time, as the runtime's do. */
export function generatedId(n: number, atMs: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `exec_${hex(atMs, 12)}7${hex(n & 0xfff, 3)}8${hex(n, 15)}`;
}

function copyOf(template: ExecutionWrite, n: number, { atMs, create, progress, events }: Variation): ExecutionWrite {
  return {
    ...template,
    id: generatedId(n, atMs),
    create: template.create === null ? null : { ...template.create, createdAtMs: atMs, ...create },
    progress: { ...template.progress, updatedAtMs: atMs, ...progress },
    events: template.events.map((event) => ({ ...event, atMs, ...events })),
  };
}

/** What a runtime writes when it starts an execution of the document, with the input `{n: 0}`. */
async function recordStart(folder: string, name: string, document: JsonObject): Promise<ExecutionWrite> {
  return withRuntime(folder, name, async ({ runtime, store }) => {
    const { workflowId } = await runtime.register(CALLER, document);
    const writes: ExecutionWrite[] = [];
    const commit = store.commit.bind(store);
    store.commit = (batch) => {
      writes.push(...batch.units.flatMap(({ executions }) => executions));
      return commit(batch);
    };
    await runtime.start(CALLER, { workflowId, input: { n: 0 } });
    const [first] = writes;
    if (first === undefined || first.fromSeq !== 0) throw new Error(`no start of ${workflowId} was written`);
    return first;
  });
}
