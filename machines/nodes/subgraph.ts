import { type Static, Type } from 'typebox';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { INPUT_MAPPING, mapping, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

export const Subgraph = Type.Object(
  {
    type: Type.Literal('subgraph'),
    workflow_ref: Type.String({ description: 'Id of the workflow that the child execution runs.' }),
    workflow_version: Type.Optional(Type.String({ description: 'Default: the version that was registered last.' })),
    input_mapping: INPUT_MAPPING,
    output_mapping: mapping(
      "State keys and templates over the child's final state, or one template. Empty: the whole final state, under the node id.",
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Runs another workflow as a child execution.' },
);
export type Subgraph = Static<typeof Subgraph>;

export const subgraph: KindDefinition<Subgraph> = defineKind<Subgraph>({
  type: 'subgraph',
  schema: Subgraph,
  normalise: (fields) => ({
    type: 'subgraph',
    workflow_ref: fields.requiredName('workflow_ref'),
    ...optional('workflow_version', fields.version('workflow_version')),
    input_mapping: fields.mapping('input_mapping'),
    output_mapping: fields.mapping('output_mapping'),
    ...readOutputFields(fields),
  }),
  aliases: { workflow_ref: ['workflow', 'workflow_id'], workflow_version: ['version'], input_mapping: ['input'] },
  requiredKeys: ['workflow_ref'],
  documentProperties: {
    workflow_version: Type.Union([Type.String(), Type.Number()], {
      description: 'Default: the version that was registered last.',
    }),
  },
  distinctiveKeys: ['input_mapping', 'output_mapping'],
  behaviour: () => 'child',
  policyNames: (kind) => [kind.workflow_ref],
  payload: (kind, input) => ({ workflow_ref: kind.workflow_ref, workflow_version: kind.workflow_version ?? null, input }),
  childWorkflow: (kind) => ({ ref: kind.workflow_ref, version: kind.workflow_version }),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  outputMapping: ({ output_mapping: given }) => (typeof given === 'string' || Object.keys(given).length > 0 ? given : null),
  syntax: {
    keys: {
      workflow_ref: { holds: 'text', spellings: ['workflow', 'ref'] },
      workflow_version: { holds: 'text', spellings: ['version'] },
      input_mapping: { holds: 'json', spellings: ['input', 'arguments'] },
      output_mapping: { holds: 'json', spellings: ['output'] },
      ...OUTPUT_SYNTAX,
    },
  },
  summary: (kind) => `runs ${kind.workflow_ref}`,
  diagramShape: 'subgraph',
});
