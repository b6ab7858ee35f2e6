import { type TObject, Type } from 'typebox';
import { isObject, type Json } from '../../../machines/json.ts';
import type { PublishedWorkflow } from '../discovery/published.ts';
import { executionId } from '../requests/ids.ts';
import { type McpTool, TOOLS } from './tools.ts';

/** How long a call waits for the result. */
const WAIT_MS = 60_000;
const MAX_NAME = 64;

/** The tools that published workflows are, each under its id. Of several with the same name, the first one counts. */
export function publishedTools(workflows: readonly PublishedWorkflow[]): readonly McpTool[] {
  const taken = new Set(TOOLS.map(({ name }) => name));
  return workflows.flatMap((workflow) => {
    const name = workflow.workflowId.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, MAX_NAME);
    if (taken.has(name)) return [];
    taken.add(name);
    return [toolOf(name, workflow)];
  });
}

/** Starts an execution with the arguments as its input, and waits for its final state. */
function toolOf(name: string, { workflowId, description, inputSchema }: PublishedWorkflow): McpTool {
  return {
    name,
    description,
    // Any JSON Schema of an object.
    input: (inputSchema ?? Type.Object({})) as unknown as TObject,
    describesOnly: true,
    readOnly: false,
    request: (args) => ({ method: 'POST', url: '/executions', body: { workflow_id: workflowId, input: args } }),
    followUp: (text) => ({
      method: 'GET',
      url: `/executions/${executionId(String(fieldOf(text, 'execution_id')))}?wait_ms=${WAIT_MS}`,
    }),
    reply: resultIn,
    failure: failureIn,
  };
}

function resultIn(text: string): string {
  const { status, state = null, execution_id = null } = objectIn(text);
  if (status === 'completed') return JSON.stringify(state);
  const hint = 'it goes on: jamjet_get_execution shows how, jamjet_approve decides what it waits for';
  return JSON.stringify({ execution_id, status, hint });
}

/** Why the execution has no result; null = it has one, or goes on. */
function failureIn(text: string): string | null {
  const { status, error = null, execution_id } = objectIn(text);
  if (status !== 'failed' && status !== 'cancelled' && status !== 'limit_exceeded') return null;
  return `${String(execution_id)} ${status}${typeof error === 'string' ? `: ${error}` : ''}`;
}

function fieldOf(text: string, key: string): Json {
  return objectIn(text)[key] ?? null;
}

function objectIn(text: string): Readonly<Record<string, Json>> {
  const value = JSON.parse(text) as Json;
  return isObject(value) ? value : {};
}
