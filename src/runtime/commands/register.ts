import { compileCooperatively } from '../../../machines/compile/index.ts';
import { type Diagnostic, InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { inputSchemaOf } from '../../../machines/ir/input-schema.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import { revisionCooperatively } from '../../../machines/revision.ts';
import { validateCooperatively } from '../../../machines/validate/index.ts';
import { inputSchemaProblem } from '../../executors/input-schema.ts';
import type { WorkerRegistry } from '../activities/external/worker-registry.ts';
import { actorOf } from '../actor.ts';
import { FairQueue } from '../scheduling/fair-queue.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, runCommand } from './command.ts';
import { missingTools } from './missing-tools.ts';
import { unservedTools } from './unserved-tools.ts';

/** Workflows that are validated and compiled at a time: each may take 50 MB meanwhile. */
const COMPILING = { active: 2, activePerKey: 1, waiting: 256, waitingPerKey: 128 };

export function registerCommand(context: CommandContext, registry: WorkerRegistry): Runtime['register'] {
  const { store, slices, workflows, quotas, clock } = context;
  const queue = new FairQueue('too many workflows are being registered', COMPILING);
  return (caller, document) =>
    runCommand(context, caller, { work: 'adds' }, async () => {
      const { tenantId } = caller;
      const { actorId, actorType, request } = actorOf(caller);
      const { workflow, program, revision, diagnostics } = await queue.run(tenantId, () =>
        slices.drive(slices.slice(tenantId), validateAndCompile(document)),
      );
      await assertUsableSchemas(workflow);
      const { workflow_id: workflowId, version } = workflow;
      await quotas.register(tenantId, workflowId, () =>
        store.control(
          { type: 'workflow_registered', workflowId, version, revision, source: JSON.stringify(workflow.source) },
          { tenantId, atMs: clock.nowMs(), actorId, actorType, request },
        ),
      );
      const loaded = workflows.registered(tenantId, program);
      const missing = missingTools(workflow, workflows.toolsOf(tenantId));
      const unserved = await unservedTools(workflow, loaded, () => registry.workers(tenantId), clock.nowMs());
      return { workflowId, version, revision, warnings: [...diagnostics, ...missing, ...unserved] };
    });
}

/** Throws `InvalidWorkflow` if inputs or payloads cannot be checked by the schemas that they must fit. */
async function assertUsableSchemas(workflow: Workflow): Promise<void> {
  const problems: Diagnostic[] = [];
  const input = inputSchemaOf(workflow);
  const problem = input === null ? null : await inputSchemaProblem(input);
  if (problem !== null)
    problems.push({
      severity: 'error',
      code: 'bad_state_schema',
      node_id: null,
      path: 'state_schema',
      message: `ir.state_schema cannot check inputs: ${problem}`,
      hint: 'correct the JSON Schema, or leave strict_input out',
    });
  for (const { id, kind } of workflow.nodes) {
    const schema = definitionOf(kind).eventSchema(kind);
    const unusable = schema === null ? null : await inputSchemaProblem(schema);
    if (unusable === null) continue;
    const message = `node "${id}": schema cannot check payloads: ${unusable}`;
    problems.push({
      severity: 'error',
      code: 'bad_event_schema',
      node_id: id,
      path: `nodes.${id}.kind.schema`,
      message,
      hint: 'correct the JSON Schema',
    });
  }
  if (problems.length > 0) throw new InvalidWorkflow(problems);
}

/** Throws `InvalidWorkflow`. Yields between pieces of work. */
function* validateAndCompile(document: unknown) {
  const { workflow, diagnostics } = yield* validateCooperatively(document);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (workflow === null || errors.length > 0) throw new InvalidWorkflow(errors);
  yield;
  const revision = yield* revisionCooperatively(workflow);
  yield;
  return { workflow, diagnostics, revision, program: yield* compileCooperatively(workflow, revision) };
}
