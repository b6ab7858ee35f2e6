import { useState } from 'react';

/** More executions cannot be named by one job. */
export const MAX_CHOSEN = 1_000;

interface Selected {
  readonly ids: ReadonlySet<string>;
  /** Everything that matches, whatever is loaded. */
  readonly isAll: boolean;
  readonly has: (id: string) => boolean;
  /** Selects these, or takes them away; resolves with whether there was room. */
  readonly set: (ids: readonly string[], selected: boolean) => boolean;
  readonly setAll: (selected: boolean) => void;
}

/** The selected executions of a list; another list (`key`) begins without any. */
export function useSelected(key: string): Selected {
  const [state, setState] = useState({ key, ids: new Set<string>() as ReadonlySet<string>, isAll: false });
  const { ids, isAll } = state.key === key ? state : { ids: new Set<string>(), isAll: false };
  return {
    ids,
    isAll,
    has: (id) => isAll || ids.has(id),
    set: (changed, selected) => {
      const next = new Set(ids);
      for (const id of changed) {
        if (!selected) next.delete(id);
        else if (next.size < MAX_CHOSEN) next.add(id);
      }
      setState({ key, ids: next, isAll: false });
      return !selected || changed.every((id) => next.has(id));
    },
    setAll: (selected) => setState({ key, ids: new Set(), isAll: selected }),
  };
}
