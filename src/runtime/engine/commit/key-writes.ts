import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { continuedAs } from '../../../../machines/step/index.ts';
import type { KeyWrite } from '../../../../store/port/resources/keys.ts';
import { startKeyIn } from '../../start-labels.ts';
import type { ExecutionStart } from '../envelope.ts';
import type { CachedExecution } from '../loading/cached-execution.ts';

const NONE: readonly KeyWrite[] = [];

interface Stepped {
  readonly before: CachedExecution | null;
  readonly base: CachedExecution | ExecutionStart;
  readonly run: Run;
  readonly isRetried: boolean;
}

/** An execution takes its key when it starts, or is retried, and frees it when it ends, unless another one continues it. */
export function keyWrites({ before, base, run, isRetried }: Stepped): readonly KeyWrite[] {
  const begins = before === null || isRetried;
  const isEnded = TERMINAL.has(run.status);
  if (!begins && (!isEnded || TERMINAL.has(before.run.status))) return NONE;
  const key = startKeyIn(base.identity.labels);
  if (key === null) return NONE;
  const of = { workflowId: base.identity.workflowId, key };
  const writes: KeyWrite[] = [];
  const previous = 'continues' in base ? base.continues?.previousId : undefined;
  if (begins) writes.push(previous === undefined ? { op: 'take', ...of } : { op: 'inherit', ...of, from: previous });
  if (isEnded && continuedAs(run) === undefined) writes.push({ op: 'free', ...of });
  return writes;
}
