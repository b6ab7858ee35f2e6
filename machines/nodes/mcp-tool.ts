import { mapping, name, outputSchema, text } from './fields.ts';
import { declareKind, defineKind, type KindOf } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const MCP_TOOL = declareKind({
  type: 'mcp_tool',
  description: 'Calls a tool of an MCP server. The runtime does it itself.',
  fields: {
    server: name("Name of the server: one of the operator's, else an entry of `mcp_servers`.", {
      required: 'document',
      names: 'mcpServer',
      distinctive: true,
    }),
    server_url: text('URL of a server without an entry.', { only: 'file' }),
    tool: name('Name of the tool on that server.', { required: true }),
    input_mapping: mapping(
      'The arguments of each call: an object of values and `{{ … }}` templates, or one template for the whole object. Default: none.',
      { spellings: ['input', 'arguments'], rendered: true },
    ),
    output_schema: outputSchema('JSON Schema of the output, as an object or as its JSON text. Default: any output.'),
    ...OUTPUT,
  },
});
export type McpTool = KindOf<typeof MCP_TOOL>;

export const mcpTool = defineKind(MCP_TOOL, {
  queue: () => 'tool',
  policyNames: (kind) => [`${kind.server}.${kind.tool}`, kind.tool],
  tool: (kind) => kind.tool,
  mcpServer: (kind) => kind.server,
  mapping: (kind) => kind.input_mapping,
  payload: ({ server, tool }, input) => ({ server, tool, input }),
  letter: 'm',
});
