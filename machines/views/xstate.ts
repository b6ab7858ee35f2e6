import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Program } from '../step/program.ts';
import type { ExecutionOverlay } from './execution-overlay.ts';

/**
 * The compiled machine as a config for XState's `createMachine`: guards, actions and the delay are named as in the vocabulary, with
 * parameters. With an overlay, the `meta` of each node's state has what happened to the node.
 */
export function toXState({ config, workflow, revision }: Program, overlay: ExecutionOverlay | null): JsonObject {
  const { description, version } = workflow;
  return {
    ...config,
    version,
    ...(description === null ? {} : { description }),
    ...(overlay === null ? {} : { states: withOverlay(config.states ?? {}, overlay) }),
    meta: {
      workflow_id: workflow.workflow_id,
      revision,
      ...(overlay === null ? {} : { execution: { status: overlay.status, sequence: overlay.sequence } }),
    },
  };
}

function withOverlay(states: Json, overlay: ExecutionOverlay): JsonObject {
  const entries = isObject(states) ? Object.entries(states) : [];
  return Object.fromEntries(
    entries.map(([name, state]) => {
      if (!isObject(state)) return [name, state];
      const meta = isObject(state.meta) ? state.meta : {};
      const mark = typeof meta.node === 'string' && meta.kind !== undefined ? overlay.nodes.get(meta.node) : undefined;
      return [
        name,
        {
          ...state,
          ...(mark === undefined ? {} : { meta: { ...meta, mark: { ...mark } } }),
          ...(state.states === undefined ? {} : { states: withOverlay(state.states, overlay) }),
        },
      ];
    }),
  );
}
