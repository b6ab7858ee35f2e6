import { mapping, name, version } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { INPUT_MAPPING, OUTPUT } from './shared-fields.ts';

const SUBGRAPH = declareKind({
  type: 'subgraph',
  description: 'Runs another workflow as a child execution.',
  fields: {
    workflow_ref: name('Id of the workflow that the child execution runs.', {
      required: true,
      names: 'workflow',
      spellings: ['workflow', 'workflow_id', 'ref'],
    }),
    workflow_version: version('Default: the version that was registered last.', { spellings: ['version'] }),
    input_mapping: INPUT_MAPPING,
    output_mapping: mapping(
      "State keys and templates over the child's final state, or one template. Empty: the whole final state, under the node id.",
      { spellings: ['output'], distinctive: true },
    ),
    ...OUTPUT,
  },
});

export const subgraph = defineKind(SUBGRAPH, {
  behaviour: () => 'child',
  policyNames: (kind) => [kind.workflow_ref],
  payload: (kind, input) => ({ workflow_ref: kind.workflow_ref, workflow_version: kind.workflow_version ?? null, input }),
  childWorkflow: (kind) => ({ ref: kind.workflow_ref, version: kind.workflow_version }),
  outputMapping: ({ output_mapping: given }) => (typeof given === 'string' || Object.keys(given).length > 0 ? given : null),
  summary: (kind) => `runs ${kind.workflow_ref}`,
  diagramShape: 'subgraph',
});
