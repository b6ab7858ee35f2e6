import type { Json, JsonObject } from '../json.ts';
import { DEFAULT_STEP_LIMIT } from '../limits.ts';
import { endStateId } from '../program/state-ids.ts';
import { COMPILER_VERSION } from '../program/version.ts';
import type { Run, Status } from '../run.ts';
import { positionsOf } from './configuration.ts';
import { type ActiveVisit, ActiveVisits } from './context/active-visits.ts';
import { type Context, freshContext } from './context/context.ts';
import type { Program } from './program.ts';
import { statusOf } from './status.ts';

/** The snapshot was written by another compiler version, or for other lanes: the log must be replayed instead. */
export class SnapshotVersionMismatch extends Error {
  constructor(other: string) {
    super(`the snapshot is of compiler ${other}, this release has version ${COMPILER_VERSION}: replay the log`);
    this.name = 'SnapshotVersionMismatch';
  }
}

interface StoredSnapshot extends Partial<Omit<Context, 'input' | 'active'>> {
  readonly version: number;
  /** Ids of the leaf states, in document order. */
  readonly at: readonly string[];
  readonly active?: Readonly<Record<string, ActiveVisit>>;
}

/** The stored parts of the context, in this order. Parts that are as in a new execution are left out. */
const STORED = [
  'env',
  'segment',
  'continuedAs',
  'startAtMs',
  'stepLimit',
  'state',
  'steps',
  'handledFailures',
  'active',
  'visits',
  'earlyEvents',
  'failures',
  'abandoned',
  'forks',
  'pendingInputs',
  'lists',
  'usage',
  'usedBefore',
  'continuedInput',
  'logChars',
  'autonomy',
  'budgets',
  'suspension',
  'ending',
  'error',
  'subgraphs',
  'evalRetries',
  'measures',
  'strategy',
] as const;

const FRESH = freshContext(null, {}, DEFAULT_STEP_LIMIT, ActiveVisits.of({ indexOf: () => undefined }, {}));

/** JSON text of a run, the same for the same history. It does not contain the input. */
export function save(run: Run): string {
  const context = run.snapshot.context as Context;
  let text = `{"version":${COMPILER_VERSION},"at":${JSON.stringify(positionsOf(run.snapshot.configuration))}`;
  for (const key of STORED) {
    const value = context[key];
    if (value !== FRESH[key] && !isEmpty(value)) text += `,"${key}":${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof ActiveVisits) return value.size === 0;
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
}

/** What remains of an ended execution with a data policy. Of no compiler version: the log without its originals cannot be replayed. */
interface ErasedSnapshot {
  readonly erased: true;
  readonly status: Status;
  readonly steps: number;
  readonly error: string | null;
  readonly state: JsonObject;
}

/** JSON text of what remains of an ended run: its outcome and the state that may be shown. */
export function saveErased(
  { status, steps }: { readonly status: string; readonly steps: number },
  error: string | null,
  state: JsonObject,
): string {
  return JSON.stringify({ erased: true, status, steps, error, state });
}

export function isErased(text: string): boolean {
  return text.startsWith('{"erased":true,');
}

function loadErased(program: Program, text: string, { seq, input }: { readonly seq: number; readonly input: Json }): Run {
  const { status, steps, error, state } = JSON.parse(text) as ErasedSnapshot;
  const { tables, walker } = program;
  const context: Context = {
    ...freshContext(input, {}, DEFAULT_STEP_LIMIT, ActiveVisits.of(tables.graph, {})),
    state,
    steps,
    error,
  };
  const configuration = walker.at([endStateId(status)]);
  return {
    snapshot: { configuration, context },
    seq,
    status,
    steps,
    input,
    error,
    localWork: 0,
    isErased: true,
    knownSize: null,
  };
}

/** The run that `save` or `saveErased` wrote. Throws `SnapshotVersionMismatch`, and other errors for a text that is no snapshot of this program. */
export function load(program: Program, text: string, row: { readonly seq: number; readonly input: Json }): Run {
  if (isErased(text)) return loadErased(program, text, row);
  const { version, at, active = {}, ...parts } = JSON.parse(text) as StoredSnapshot;
  if (version !== COMPILER_VERSION) throw new SnapshotVersionMismatch(`version ${JSON.stringify(version)}`);
  const fresh = freshContext(row.input, {}, DEFAULT_STEP_LIMIT, ActiveVisits.of(program.tables.graph, active));
  const context: Context = Object.assign(fresh, { state: {} }, parts);
  const configuration = program.walker.at(at);
  return {
    snapshot: { configuration, context },
    seq: row.seq,
    status: statusOf(configuration, context.suspension !== null),
    steps: context.steps,
    input: row.input,
    error: context.error,
    localWork: context.active.localWork,
    knownSize: null,
  };
}
