import type { McpServer } from '../../machines/ir/mcp-servers.ts';
import { isObject, type Json } from '../../machines/json.ts';
import type { McpTool } from '../../machines/nodes/mcp-tool.ts';
import { shortened } from '../../machines/shortened.ts';
import { jsonIn, structureIn } from './answer-text.ts';
import { type Executor, WorkError } from './executor.ts';
import { invalid, typeOf } from './http-content.ts';
import type { ToolResult } from './mcp/connection.ts';
import type { McpConnections } from './mcp/connections.ts';
import { outputCheck } from './output-schema.ts';
import { toJson } from './to-json.ts';

/** What `mcp_tool` nodes of a workflow need. */
export interface McpAccess {
  readonly connections: McpConnections;
  /** The `mcp_servers` of the document. */
  readonly declared: Readonly<Record<string, McpServer>>;
  /** The variables that the operator has given to the tenant. */
  readonly vars: Readonly<Record<string, string>>;
}

/** A server says in its text that the arguments are at fault, as those of the official SDK do. */
const REFUSAL = /\bvalidation\b|-3260[012]\b/i;

/**
 * Executor of `mcp_tool` nodes: calls the tool with the rendered arguments. The output is the structured content, else the one text, parsed
 * if it is JSON, else the list of contents. Every attempt of one visit carries the same idempotency key in `_meta`.
 */
export function mcpToolExecutor({ server, tool, output_schema }: McpTool, { connections, declared, vars }: McpAccess): Executor {
  const schema = output_schema === undefined ? null : outputCheck(output_schema);
  return async ({ input }, { tenantId, signal, idempotencyKey, executionId, accessToken }) => {
    if (!isObject(input)) throw invalid(`the arguments of ${tool} must be an object, not ${typeOf(input)}`);
    const check = await schema?.();
    const meta = { 'jamjet/idempotency-key': idempotencyKey, 'jamjet/execution-id': executionId };
    const token = accessToken === undefined ? {} : { accessToken: accessToken.token };
    const call = { tenantId, server, declared, vars, signal, ...token };
    const result = await connections.use(call, (connection) => connection.call(tool, input, meta, signal));
    if (result.isError === true) throw failedTool(tool, result);
    if (check === undefined) return { output: toJson(outputOf(result)) };
    const output = toJson(structuredOutput(tool, result));
    const problem = await check(output);
    if (problem !== null) throw unfit(`the output does not fit output_schema: ${problem}`);
    return { output };
  };
}

function outputOf(result: ToolResult): Json {
  if (result.structuredContent !== undefined) return result.structuredContent as Json;
  const text = onlyText(result);
  if (text === null) return result.content as Json;
  return structureIn(text) ?? text;
}

function structuredOutput(tool: string, result: ToolResult): Json {
  const text = result.structuredContent === undefined ? onlyText(result) : null;
  const output = text === null ? outputOf(result) : jsonIn(text);
  if (output === undefined) throw unfit(`the output of ${tool} is not JSON, which output_schema asks for`);
  return output;
}

function unfit(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}

/** The text of a result with no other content. */
function onlyText({ content }: ToolResult): string | null {
  const [only] = content;
  return content.length === 1 && only?.type === 'text' ? only.text : null;
}

function failedTool(tool: string, { content }: ToolResult): WorkError {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  const isRefusal = REFUSAL.test(text);
  return new WorkError(`${tool} failed${text === '' ? '' : `: ${shortened(text, 1_900)}`}`, {
    retryable: !isRefusal,
    errorClass: isRefusal ? 'validation' : 'tool_error',
  });
}
