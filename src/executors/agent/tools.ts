import type { ToolConfig } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { AgentTool } from '../../../machines/nodes/agent-tools.ts';
import { type Handoff, handoffTool } from '../../../machines/nodes/handoffs.ts';
import type { ModelAgent } from '../../../machines/nodes/model-agent.ts';
import type { WorkContext } from '../executor.ts';
import type { McpAccess } from '../mcp-tool.ts';

/** Where tools are described that an agent only names. */
export interface ToolDescriptions {
  /** The `tools` of the document. */
  readonly declared: Readonly<Record<string, ToolConfig>>;
  readonly mcp: McpAccess;
}

/** Those of a tool that nothing describes: any object. */
export const ANY_PARAMETERS: JsonObject = { type: 'object', properties: {} };

const HANDOFF_PARAMETERS: JsonObject = {
  type: 'object',
  properties: { reason: { type: 'string', description: 'Why, in a sentence.' } },
  additionalProperties: false,
};

type Described = Pick<AgentTool, 'description' | 'parameters'>;

/** The tools of an agent as OpenAI describes functions, those by which it hands over included. A tool of an MCP server is described by the server unless the agent does. */
export async function toolSchemas(kind: ModelAgent, descriptions: ToolDescriptions, context: WorkContext): Promise<JsonObject[]> {
  const described = await describedByServers(kind, descriptions.mcp, context);
  const tools = kind.tools.map((tool) => {
    const { tool_ref } = kindOf(tool);
    const declared =
      typeof tool_ref === 'string' && Object.hasOwn(descriptions.declared, tool_ref)
        ? descriptions.declared[tool_ref]
        : undefined;
    const elsewhere: Described = described.get(tool.name) ?? {
      ...(declared?.description === undefined ? {} : { description: declared.description }),
      ...(declared?.input_schema === undefined ? {} : { parameters: declared.input_schema }),
    };
    const description = tool.description ?? elsewhere.description;
    return {
      type: 'function',
      function: {
        name: tool.name,
        ...(description === undefined ? {} : { description }),
        parameters: tool.parameters ?? elsewhere.parameters ?? ANY_PARAMETERS,
      },
    };
  });
  return [...tools, ...(kind.handoff ?? []).map(handoffSchema)];
}

function handoffSchema({ agent, description }: Handoff): JsonObject {
  const does = `Hands the conversation over to "${agent}", which goes on with it and answers`;
  return {
    type: 'function',
    function: {
      name: handoffTool(agent),
      description: description === undefined ? `${does}.` : `${does}: ${description}`,
      parameters: HANDOFF_PARAMETERS,
    },
  };
}

/** What MCP servers say of the tools that the agent only names. */
async function describedByServers(
  { tools }: ModelAgent,
  mcp: McpAccess,
  { tenantId, signal }: WorkContext,
): Promise<Map<string, Described>> {
  const found = new Map<string, Described>();
  const bare = tools.filter((tool) => kindOf(tool).type === 'mcp_tool' && tool.parameters === undefined);
  const servers = new Set(bare.map((tool) => String(kindOf(tool).server)));
  for (const server of servers) {
    const call = { tenantId, server, declared: mcp.declared, vars: mcp.vars, signal };
    const listed = await mcp.connections.use(call, (connection) => connection.allTools(signal));
    for (const tool of bare) {
      const { server: of, tool: name } = kindOf(tool);
      const entry = of === server ? listed.find((each) => each.name === name) : undefined;
      if (entry !== undefined)
        found.set(tool.name, {
          ...(entry.description === undefined ? {} : { description: entry.description }),
          parameters: entry.inputSchema as unknown as JsonObject,
        });
    }
  }
  return found;
}

function kindOf({ node }: AgentTool): JsonObject {
  return node.kind as JsonObject;
}
