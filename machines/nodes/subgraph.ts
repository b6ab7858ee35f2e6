import { type Static, Type } from 'typebox';
import { optional } from '../ir/reading/fields.ts';
import { COMMON_PROPERTIES, type KindDefinition, Mapping, mappingUnlessEmpty, namedTargets, readCommonFields } from './kind.ts';

/** Runs another workflow as a child execution. */
export const Subgraph = Type.Object({
  type: Type.Literal('subgraph'),
  workflow_ref: Type.String(),
  /** Absent = the most recently registered version. */
  workflow_version: Type.Optional(Type.String()),
  input_mapping: Mapping,
  /** State key → expression over the child's final state; empty = the whole of it under the node's id. */
  output_mapping: Mapping,
  ...COMMON_PROPERTIES,
});
export type Subgraph = Static<typeof Subgraph>;

export const subgraph: KindDefinition<Subgraph> = {
  type: 'subgraph',
  schema: Subgraph,
  normalise: (fields) => ({
    type: 'subgraph',
    workflow_ref: fields.requiredName('workflow_ref', 'workflow', 'workflow_id'),
    ...optional('workflow_version', fields.version('workflow_version', 'version')),
    input_mapping: fields.mapping('input_mapping', 'input'),
    output_mapping: fields.mapping('output_mapping'),
    ...readCommonFields(fields),
  }),
  behaviour: () => 'child',
  queue: () => null,
  policyNames: (kind) => [kind.workflow_ref],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: (kind, input) => ({ workflow_ref: kind.workflow_ref, workflow_version: kind.workflow_version ?? null, input }),
  objectResultIsPatch: false,
};
