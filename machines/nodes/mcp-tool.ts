import { type Static, Type } from 'typebox';
import type { JsonObject } from '../json.ts';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { mapping, OUTPUT_PROPERTIES, readOutputFields, readOutputSchema } from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';

export const McpTool = Type.Object(
  {
    type: Type.Literal('mcp_tool'),
    server: Type.String({ description: "Name of the server: one of the operator's, else an entry of `mcp_servers`." }),
    tool: Type.String({ description: 'Name of the tool on that server.' }),
    input_mapping: mapping(
      'The arguments of each call: an object of values and `{{ … }}` templates, or one template for the whole object. Default: none.',
    ),
    output_schema: Type.Optional(
      Type.Unsafe<JsonObject>({
        type: 'object',
        description: 'JSON Schema of the output, which is then read as JSON. `pattern` is not supported. Default: any output.',
      }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Calls a tool of an MCP server. The runtime does it itself.' },
);
export type McpTool = Static<typeof McpTool>;

export const mcpTool: KindDefinition<McpTool> = defineKind<McpTool>({
  type: 'mcp_tool',
  schema: McpTool,
  normalise: (fields) => ({
    type: 'mcp_tool',
    server: fields.requiredName('server'),
    tool: fields.requiredName('tool'),
    input_mapping: fields.mapping('input_mapping'),
    ...optional('output_schema', readOutputSchema(fields)),
    ...readOutputFields(fields),
  }),
  aliases: { input_mapping: ['arguments', 'input'] },
  requiredKeys: ['server', 'tool'],
  documentProperties: {
    output_schema: Type.Union([Type.Object({}), Type.String()], {
      description: 'JSON Schema of the output, as an object or as its JSON text. Default: any output.',
    }),
  },
  distinctiveKeys: ['server'],
  queue: () => 'tool',
  policyNames: (kind) => [`${kind.server}.${kind.tool}`, kind.tool],
  tool: (kind) => kind.tool,
  mcpServer: (kind) => kind.server,
  mapping: (kind) => kind.input_mapping,
  payload: ({ server, tool }, input) => ({ server, tool, input }),
  syntax: {
    keys: { server: { holds: 'text' }, server_url: { holds: 'text' }, tool: { holds: 'text' }, ...WORK_SYNTAX },
  },
  letter: 'm',
});
