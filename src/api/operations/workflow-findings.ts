import { type Static, Type } from 'typebox';
import { flag, integer, listOf, nullable, text } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';
import { WorkflowById, WorkflowQuery } from './workflows.ts';

export const WorkflowFinding = Type.Object(
  {
    code: text('Stable code in snake_case: of docs/testing.md, or of a diagnostic.'),
    severity: Type.Enum(['error', 'warning', 'info'] as const, {
      description: '`info`: may be intended, or could not be decided.',
    }),
    message: text('What was found.'),
    hint: nullable(Type.String(), 'What to do about it; null if there is no advice.'),
    node_id: nullable(Type.String(), 'Node that it concerns; null if it concerns the whole workflow.'),
    path: nullable(Type.String(), 'Path of the key in the document, such as `nodes.review`; null if none.'),
  },
  { description: 'What an analysis says about a workflow.' },
);

export const WorkflowFindings = Type.Object(
  {
    workflow_id: text('Id of the workflow.'),
    version: text('Version that was analysed.'),
    revision: text('Its revision.'),
    findings: listOf(WorkflowFinding, 'Errors first, then warnings.'),
    paths: integer(
      'Number of distinct paths from the start to an end, without unhandled failures. At most 1,000 are looked for.',
    ),
    states: integer('Number of distinct states that were explored.'),
    steps: integer('Number of simulated steps.'),
    complete: flag(
      'Whether everything was explored. If not, some findings may be missing, and some nodes may be reached after all.',
    ),
    bounded: listOf(
      Type.Enum(['steps', 'paths', 'values', 'time'] as const, { description: 'A limit.' }),
      'Limits that the exploration has reached; empty if it is complete.',
    ),
  },
  { description: 'What is known of a workflow before it runs.' },
);
export type WorkflowFindings = Static<typeof WorkflowFindings>;

export const WORKFLOW_FINDINGS = {
  tag: 'Workflows',
  operations: {
    'GET /workflows/:workflow_id/findings': {
      id: 'analyseWorkflow',
      access: 'read',
      summary: 'Analyse a workflow',
      description:
        'The warnings of its registration, and what an exploration of its paths has found: dead ends, loops without an end, nodes and branches that no run reaches, outcomes that end the execution. The first request for a revision takes up to seconds; 400 if the workflow is too large, 503 if the server is too busy.',
      params: WorkflowById,
      query: WorkflowQuery,
      reply: WorkflowFindings,
    },
  },
} satisfies Resource;
