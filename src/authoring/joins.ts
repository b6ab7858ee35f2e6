import { isObject, type Json } from '../../machines/json.ts';
import type { Findings } from './diagnostic.ts';
import { definitionWritten } from './kinds.ts';
import { hasBranches, type NodeDraft } from './node-draft.ts';

/**
 * `join` of a parallel node applies to the first node of each branch. A later node of the branch without `next` ends the branch, so that the join
 * does not get its output: allowed, and rarely meant.
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
        missed.offset,
        {
          node_id: missed.id,
          hint: `write "next: ${join}", or "next: end" if the branch is to end here`,
        },
      );
    }
  }
}

/** Nodes between the heads and the join that have no targets. */
function implicitEnds(heads: readonly string[], join: string, byId: ReadonlyMap<string, NodeDraft>): readonly NodeDraft[] {
  const seen = new Set<string>(heads);
  const found: NodeDraft[] = [];
  const open = [...heads];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const draft = byId.get(id);
    if (draft === undefined) continue;
    const targets = targetsOfDraft(draft);
    if (targets.length === 0 && !heads.includes(id) && definitionWritten(draft.kind.type)?.declaration.next !== false)
      found.push(draft);
    for (const target of targets) {
      if (target === join || seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return found;
}

function targetsOfDraft({ kind, next }: NodeDraft): string[] {
  const keys = Object.entries(definitionWritten(kind.type)?.declaration.fields ?? {});
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
