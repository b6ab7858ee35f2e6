import type { Program } from '../compile.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Marks } from './marks.ts';

/**
 * The compiled machine as a config for XState's `createMachine`: guards, actions and the one delay by the names of the vocabulary, with
 * parameters. With `marks`, what has happened stands in the `meta` of each node's state.
 */
export function toXState({ config, workflow, revision }: Program, marks: Marks | null): JsonObject {
  const { description, version } = workflow;
  return {
    ...config,
    version,
    ...(description === null ? {} : { description }),
    ...(marks === null ? {} : { states: marked(config.states ?? {}, marks) }),
    meta: {
      workflow_id: workflow.workflow_id,
      revision,
      ...(marks === null ? {} : { execution: { status: marks.status, sequence: marks.sequence } }),
    },
  };
}

function marked(states: Json, marks: Marks): JsonObject {
  const entries = isObject(states) ? Object.entries(states) : [];
  return Object.fromEntries(
    entries.map(([name, state]) => {
      if (!isObject(state)) return [name, state];
      const meta = isObject(state.meta) ? state.meta : {};
      const mark = typeof meta.node === 'string' && meta.kind !== undefined ? marks.nodes.get(meta.node) : undefined;
      return [
        name,
        {
          ...state,
          ...(mark === undefined ? {} : { meta: { ...meta, mark: { ...mark } } }),
          ...(state.states === undefined ? {} : { states: marked(state.states, marks) }),
        },
      ];
    }),
  );
}
