import { type Static, Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import { Diagnostic } from '../schemas/errors.ts';
import { anyObject, appliedLimit, appliedOffset, flag, limit, listOf, name, offset, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const WORKFLOWS_PAGE = { defaultLimit: 50, maxLimit: 1_000 };

/** Checked by the compiler, whose diagnostics say more than a schema could. The OpenAPI document has the schema of workflow documents. */
export const RegisterWorkflow = anyObject('`{"ir": …}`, or the workflow document itself.');

/** A schema of `irSchema`, which the OpenAPI document contains beside those of the routes. */
export const workflowDocument = (description: string) => Type.Unsafe<JsonObject>({ $ref: `${DEFINITIONS}Workflow`, description });
export const DEFINITIONS = '#/components/schemas/';

const REGISTERED = {
  workflow_id: text('Id of the workflow.'),
  version: text('Version of the workflow.'),
  revision: text('SHA-256 of the canonical document; executions are pinned to it.'),
  warnings: listOf(Diagnostic, 'Problems that do not prevent the registration.'),
};

export const RegisteredWorkflow = Type.Object(
  {
    ...REGISTERED,
    workflows: Type.Optional(
      listOf(
        Type.Object(REGISTERED, { description: 'A registered workflow.' }),
        'All workflows of a body in YAML that has several, in its order; the other fields are those of the first.',
      ),
    ),
  },
  { description: 'A workflow was registered.' },
);
export type RegisteredWorkflow = Static<typeof RegisteredWorkflow>;

export const WorkflowVersion = Type.Object(
  {
    version: text('Version of the workflow.'),
    revision: text('SHA-256 of the canonical document.'),
    registered_at: timestamp('When the version was last registered.'),
    registered_by: text('Who registered it then: the name of the token.'),
  },
  { description: 'A registered version of a workflow.' },
);
export type WorkflowVersion = Static<typeof WorkflowVersion>;

export const WorkflowSummary = Type.Object(
  {
    workflow_id: text('Id of the workflow.'),
    ...WorkflowVersion.properties,
  },
  { description: 'The latest version of a workflow.' },
);

export const WorkflowById = Type.Object({ workflow_id: text('Id of the workflow.') });

export const WorkflowQuery = Type.Object({
  version: Type.Optional(name('Version of the workflow. Default: the one registered last.')),
  revision: Type.Optional(
    text('Revision of the workflow, or at least six of its first digits: also one that its version no longer has.', {
      pattern: '^[0-9a-f]{6,64}$',
    }),
  ),
});

export const WorkflowsQuery = Type.Object({ limit: limit(WORKFLOWS_PAGE), offset });

export const WorkflowList = Type.Object(
  {
    workflows: listOf(WorkflowSummary, 'The latest version of each workflow, by id.'),
    limit: appliedLimit,
    offset: appliedOffset,
  },
  { description: 'A page of workflows.' },
);
export type WorkflowList = Static<typeof WorkflowList>;

export const RevisionsQuery = Type.Object({ limit: limit(WORKFLOWS_PAGE), offset });

export const WorkflowRevision = Type.Object(
  {
    version: text('Version under which it was registered.'),
    revision: text('SHA-256 of the canonical document.'),
    current: flag('Whether the version has this content now.'),
    first_registered_at: timestamp('When it was first registered under this version.'),
    first_registered_by: text('Who registered it then: the name of the token.'),
    registered_at: timestamp('When it was last registered under this version.'),
    registered_by: text('Who registered it then.'),
  },
  { description: 'Content that was registered under a version.' },
);

export const WorkflowRevisions = Type.Object(
  {
    workflow_id: text('Id of the workflow.'),
    revisions: listOf(WorkflowRevision, 'What was registered under all versions, the last registered first.'),
    limit: appliedLimit,
    offset: appliedOffset,
  },
  { description: 'The history of a workflow.' },
);
export type WorkflowRevisions = Static<typeof WorkflowRevisions>;

export const WorkflowArray = listOf(WorkflowSummary, 'The latest version of each workflow, by id.');

export const WorkflowDetail = Type.Object(
  {
    ...WorkflowSummary.properties,
    versions: listOf(WorkflowVersion, 'Every registered version, latest first.'),
    ir: workflowDocument('The document as it was registered, unknown keys included; `nodes` is always an object by node id.'),
  },
  { description: 'A version of a workflow and its document.' },
);
export type WorkflowDetail = Static<typeof WorkflowDetail>;

export const WORKFLOWS = {
  tag: 'Workflows',
  operations: {
    'POST /workflows': {
      id: 'registerWorkflow',
      access: 'write',
      acceptsYaml: true,
      summary: 'Register a workflow',
      description:
        'The body is `{"ir": …}` or the document itself; with `Content-Type: application/yaml`, a workflow file. A version may be registered again with other content; running executions keep their revision.',
      body: RegisterWorkflow,
      reply: RegisteredWorkflow,
      status: 201,
    },
    'GET /workflows': {
      id: 'listWorkflows',
      access: 'read',
      summary: 'List workflows',
      query: WorkflowsQuery,
      reply: WorkflowList,
    },
    'GET /workflows/:workflow_id': {
      id: 'getWorkflow',
      access: 'read',
      summary: 'Get a workflow',
      description:
        'The latest version unless `version` or `revision` names another, with the list of its versions, the last 1,000. 409 if several revisions begin with the given digits.',
      params: WorkflowById,
      query: WorkflowQuery,
      reply: WorkflowDetail,
    },
    'GET /workflows/:workflow_id/revisions': {
      id: 'listWorkflowRevisions',
      access: 'read',
      summary: 'List the revisions of a workflow',
      description: 'What was registered under its versions, when and by whom, also what is no longer current.',
      params: WorkflowById,
      query: RevisionsQuery,
      reply: WorkflowRevisions,
    },
  },
} satisfies Resource;
