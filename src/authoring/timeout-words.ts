import { compileExpression, isTrue } from '../../machines/expression/index.ts';
import type { Json } from '../../machines/json.ts';
import { definitionWritten } from './kinds.ts';
import type { NodeDraft } from './node-draft.ts';

const DECISIONS: Readonly<Record<string, 'approved' | 'rejected'>> = {
  approve: 'approved',
  approved: 'approved',
  reject: 'rejected',
  rejected: 'rejected',
};

/** `on_timeout: reject` of an approval, unless a node has that name: where its rejection leads. Without such a way, the node fails. */
export function withTimeoutWords(drafts: readonly NodeDraft[]): readonly NodeDraft[] {
  const ids = new Set(drafts.map(({ id }) => id));
  return drafts.map((draft) => {
    const { on_timeout: word, ...kind } = draft.kind;
    if (definitionWritten(kind.type)?.testReplies !== 'decision' || typeof word !== 'string' || ids.has(word)) return draft;
    const decision = Object.hasOwn(DECISIONS, word) ? DECISIONS[word] : undefined;
    if (decision === undefined) return draft;
    const target = kind[`on_${decision}`] ?? routeOf(draft, decision);
    return { ...draft, kind: target === null ? kind : { ...kind, on_timeout: target } };
  });
}

/** The first route of `next` whose condition holds for the decision; an approval may take one without a condition. */
function routeOf({ next }: NodeDraft, decision: 'approved' | 'rejected'): Json {
  const output = { decision, approved: decision === 'approved' };
  const scope = { state: {}, output, input: output, env: {} };
  const routes = next ?? [];
  const matching = routes.find(({ condition }) => condition !== null && isTrue(compileExpression(condition.value), scope));
  const otherwise = decision === 'approved' ? routes.find(({ condition }) => condition === null) : undefined;
  return (matching ?? otherwise)?.to.value ?? null;
}
