import { expect } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { parseWorkflow } from '../support/parse-workflow.ts';

/** The document of a file without problems. */
export function compiled(text: string, file = 'workflow.yaml'): JsonObject {
  const { document, diagnostics } = parseWorkflow(text, file);
  expect(diagnostics).toEqual([]);
  if (document === null) throw new Error('a file without problems has a document');
  return document;
}

/** Every problem as `line:column severity code`. */
export function problems(text: string, file = 'workflow.yaml'): string[] {
  return parseWorkflow(text, file).diagnostics.map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);
}

/** A workflow of the nodes given as YAML, each line at its own indentation below `nodes:`. */
export function workflowOf(nodes: string): string {
  return `workflow: { id: w }\nnodes:\n${nodes}\n`;
}

/** The only node of a workflow. */
export function node(keys: string): JsonObject {
  const nodes = compiled(workflowOf(`  n: ${keys}`)).nodes as JsonObject;
  return nodes.n as JsonObject;
}

export function kind(keys: string): Json {
  return node(keys).kind ?? null;
}

/** `from → to [if condition]` of every edge. */
export function edges(text: string): string[] {
  return (compiled(text).edges as readonly JsonObject[]).map(
    ({ from, to, condition }) => `${from} → ${to}${condition === null ? '' : ` if ${condition}`}`,
  );
}
