import type { Diagnostic } from '../../../machines/diagnostics.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import type { Tools } from '../types/work.ts';

/** A warning for each tool that a node calls in this process, and that neither the operator nor the workflow provides. */
export function missingTools({ nodes, tools: declared }: Workflow, tools: Tools): readonly Diagnostic[] {
  const isProvided = (name: string): boolean =>
    Object.hasOwn(tools, name) || (Object.hasOwn(declared, name) && declared[name]?.kind === 'http');
  return nodes.flatMap(({ id, kind }) =>
    definitionOf(kind)
      .furtherTools(kind)
      .filter(({ name }) => !isProvided(name))
      .map(({ name, key }) => ({
        severity: 'warning',
        code: 'scorer_needs_tool',
        node_id: id,
        path: `nodes.${id}.${key}`,
        message: `node "${id}": the scorer "${name}" is no tool of this server, nor an HTTP tool of the workflow; the node will fail`,
        hint:
          didYouMean(name, [...Object.keys(tools), ...Object.keys(declared)]) ??
          'start the server with this function (--tools), or add an entry of kind http to `tools`',
      })),
  );
}
