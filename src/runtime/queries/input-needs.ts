import { definitionOf } from '../../../machines/nodes/index.ts';
import type { ActiveNode, Phase } from '../../../machines/run.ts';
import { TERMINAL } from '../../../machines/run.ts';
import type { Context } from '../../../machines/step/context/context.ts';
import { activeOf } from '../../../machines/step/index.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import type { InputNeed } from '../types/server-runtime.ts';

/** Paused child executions that one question looks into, so that a wide fan-out of them does not load thousands. */
const MAX_CHILDREN = 16;
/** What a node in any other phase waits for is not work. */
const AWAITING: ReadonlySet<Phase> = new Set<Phase>(['approval', 'awaiting_approval', 'waiting']);

type Load = (tenantId: string, id: string) => Promise<CachedExecution>;

/**
 * What the execution needs from people or by events before anything of it goes on. Null = nothing: it works, waits for time, is suspended,
 * or has ended.
 */
export async function inputNeedOf(
  execution: CachedExecution,
  load: Load,
  left = { children: MAX_CHILDREN },
): Promise<InputNeed | null> {
  const { id, tenantId, run, loaded } = execution;
  const { active: visits, suspension } = run.snapshot.context as Context;
  if (TERMINAL.has(run.status) || suspension !== null) return null;
  const active = activeOf(loaded.program, run);
  const children = active.flatMap(({ node, childId }) =>
    childId !== null && visits.get(node)?.paused === true ? [childId] : [],
  );
  if (active.filter(({ phase }) => !AWAITING.has(phase)).length > children.length) return null;
  const approvals = active.flatMap(({ node, phase }) => (phase === 'waiting' || phase === 'child' ? [] : [node]));
  const events = active.flatMap((waiting) => (isEventNeeded(execution, waiting) ? [waiting.waitsFor ?? ''] : []));
  if (approvals.length > 0 || events.length > 0) return { executionId: id, approvals, events };
  for (const child of children) {
    left.children -= 1;
    if (left.children < 0) return null;
    const need = await inputNeedOf(await load(tenantId, child), load, left);
    if (need !== null) return need;
  }
  return null;
}

/** Does the wait go on without its event only by failing, or not at all? */
function isEventNeeded({ loaded }: CachedExecution, { node, phase, waitsFor }: ActiveNode): boolean {
  if (phase !== 'waiting' || waitsFor === null) return false;
  const { kind } = loaded.program.tables.nodeOf(node);
  const definition = definitionOf(kind);
  return definition.timeoutOutcome(kind) === 'fail' || definition.parkTimeout(kind) === null;
}
