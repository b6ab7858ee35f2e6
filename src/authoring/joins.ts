import { isObject, type Json } from '../../machines/json.ts';
import type { Findings } from './diagnostic.ts';
import { kindWritten } from './kinds.ts';
import { hasBranches, type NodeDraft } from './node-draft.ts';

/**
 * `join` catches only the first node of a branch. A later node of the branch that says nowhere to go ends the branch, and
 * the join would wait for nothing: legal, and hardly ever meant.
 */
export function warnAboutMissedJoins(drafts: readonly NodeDraft[], findings: Findings): void {
  const byId = new Map(drafts.map((draft) => [draft.id, draft]));
  for (const parallel of drafts) {
    const { join, branches } = parallel.kind;
    if (typeof join !== 'string' || !hasBranches(parallel, 'all')) continue;
    const heads = (branches as readonly string[]).filter((head) => head !== join);
    const awaited = byId.get(join)?.kind.wait_for;
    for (const missed of implicitEnds(heads, join, byId)) {
      if (Array.isArray(awaited) && awaited.includes(missed.id)) continue;
      findings.warning(
        'branch_misses_join',
        `node "${missed.id}" ends a branch of "${parallel.id}" without reaching its join "${join}"`,
        missed.at,
        {
          node_id: missed.id,
          hint: `write "next: ${join}", or "next: end" if the branch is to end here`,
        },
      );
    }
  }
}

/** Nodes behind the heads, short of the join, that do not say where they lead. */
function implicitEnds(heads: readonly string[], join: string, byId: ReadonlyMap<string, NodeDraft>): readonly NodeDraft[] {
  const seen = new Set<string>(heads);
  const found: NodeDraft[] = [];
  const open = [...heads];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const draft = byId.get(id);
    if (draft === undefined) continue;
    const targets = targetsOf(draft);
    if (targets.length === 0 && !heads.includes(id) && kindWritten(draft.kind.type)?.syntax.next !== false) found.push(draft);
    for (const target of targets) {
      if (target === join || seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return found;
}

function targetsOf({ kind, next }: NodeDraft): string[] {
  const keys = Object.entries(kindWritten(kind.type)?.syntax.keys ?? {});
  const inKind = keys.flatMap(([key, { holds }]) => {
    if (holds === 'target') return targetIn(kind[key]);
    return holds === 'choices' || holds === 'starts' ? [kind[key] ?? []].flat().flatMap(targetIn) : [];
  });
  return [...inKind, ...(next ?? []).map(({ to }) => to.value)];
}

/** The target that a value names: a text, or `target` of a branch. */
function targetIn(value: Json | undefined): string[] {
  const target = isObject(value) ? value.target : value;
  return typeof target === 'string' ? [target] : [];
}
