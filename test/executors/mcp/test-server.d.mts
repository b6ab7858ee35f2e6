import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export function testServer(report?: (what: string) => void, die?: () => void): McpServer;
