import { describe, expect, it } from 'vitest';
import type { Kind } from '../../machines/nodes/index.ts';
import { NO_AGENTS } from '../../src/executors/a2a/directory.ts';
import { RemoteAgents } from '../../src/executors/a2a/remote-agents.ts';
import { McpConnections } from '../../src/executors/mcp/connections.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { type ExecutorDeps, executorFor } from '../../src/executors/registry.ts';
import { webServer } from './web-server.ts';
import { contextWith, workWith } from './work.ts';

const outbound = new Outbound({ allowPrivateAddresses: true });
const models = { settings: {}, allowlistOf: async () => [] };
const mcp = { connections: new McpConnections({ serversOf: () => ({}), outbound }), declared: {}, vars: {} };
const agents = { agents: new RemoteAgents({ outbound, directory: NO_AGENTS }), declared: {}, vars: {} };
const deps: ExecutorDeps = { tools: { pay: () => 'paid' }, outbound, vars: {}, models, mcp, agents, coordinatorUrl: undefined };

function tool(tool_ref: string): Kind {
  return { type: 'tool', tool_ref, input_mapping: {} };
}

describe('the executor of a node', () => {
  it('is a function that the operator registered, even if the workflow declares a URL for the tool', async () => {
    const declared = { pay: { kind: 'http', reference: 'http://127.0.0.1:1/' } } as const;
    const executor = executorFor(tool('pay'), declared, deps);
    expect(await executor?.(workWith({}), contextWith())).toEqual({ output: 'paid' });
  });

  it('is the declared URL of a tool without a function', async () => {
    const { url, requests } = await webServer((_request, response) => response.end('ok'));
    const executor = executorFor(tool('post'), { post: { kind: 'http', reference: url } }, deps);
    expect(await executor?.(workWith({ a: 1 }), contextWith())).toEqual({ output: 'ok' });
    expect(requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it.each(['unknown', 'toString', '__proto__'])('is none for the tool %s, which external workers run', (name) => {
    expect(executorFor(tool(name), {}, deps)).toBeNull();
  });

  it.each(['condition', 'subgraph', 'python_fn'] as const)('is none for the kind %s', (type) => {
    expect(executorFor({ type, tool_ref: 'pay' } as unknown as Kind, {}, deps)).toBeNull();
  });
});
