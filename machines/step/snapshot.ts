import type { Json } from '../json.ts';
import { FIRST_LANE_LAYOUT } from '../program/plan.ts';
import { COMPILER_VERSION } from '../program/version.ts';
import type { Run } from '../run.ts';
import { positionsOf } from './configuration.ts';
import { type ActiveVisit, ActiveVisits } from './context/active-visits.ts';
import { type Context, DEFAULT_STEP_LIMIT, freshContext } from './context/context.ts';
import type { Program } from './program.ts';
import { statusOf } from './status.ts';

/** The snapshot was written by another compiler version, or for other lanes: the log must be replayed instead. */
export class SnapshotVersionMismatch extends Error {
  readonly code = 'other_compiler';

  constructor(other: string) {
    super(`the snapshot is of compiler ${other}, this release has version ${COMPILER_VERSION}: replay the log`);
    this.name = 'OtherCompiler';
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
  'language',
  'rules',
  'layout',
  'stepLimit',
  'state',
  'steps',
  'handledFailures',
  'active',
  'visits',
  'earlyEvents',
  'failures',
  'forks',
  'pendingInputs',
  'lists',
  'usage',
  'budgets',
  'suspension',
  'error',
  'subgraphs',
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

/** The run that `save` wrote. Throws `OtherCompiler`, and other errors for a text that is no snapshot of this program. */
export function load(program: Program, text: string, row: { readonly seq: number; readonly input: Json }): Run {
  const { version, at, active = {}, ...parts } = JSON.parse(text) as StoredSnapshot;
  if (version !== COMPILER_VERSION) throw new SnapshotVersionMismatch(`version ${JSON.stringify(version)}`);
  if ((parts.layout ?? FIRST_LANE_LAYOUT) !== program.tables.layout)
    throw new SnapshotVersionMismatch(`layout ${parts.layout ?? FIRST_LANE_LAYOUT}`);
  const context: Context = {
    ...freshContext(row.input, {}, DEFAULT_STEP_LIMIT, ActiveVisits.of(program.tables.graph, active)),
    state: {},
    ...parts,
  };
  const configuration = program.stepper.at(at);
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
