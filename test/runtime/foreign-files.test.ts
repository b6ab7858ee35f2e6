import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { a2aAgent } from '../executors/a2a/agent-server.ts';
import { chatAnswer, reply } from '../executors/model/asking.ts';
import { webServer } from '../executors/web-server.ts';
import { CALLER, openTestRuntime } from '../support/runtimes.ts';

/** Files in the spellings of other authors; a second folder of them may be named, e.g. a checkout of their repositories. */
const FOLDERS = [join(import.meta.dirname, 'foreign'), process.env.JAMJET_TEST_FOREIGN_FILES ?? ''];

function files(): string[] {
  return FOLDERS.filter((folder) => folder !== '').flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?:workflow|agent|fleet)\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name)),
  );
}

const MODELS = ['claude-sonnet-4-6', 'claude-haiku-4-5-20251001', 'ft-triage-v3', 'google/gemini-2.0-flash-001'];
const SERVERS = ['github', 'brave-search', 'postgres', 'filesystem', 'mcp-tool-provider'];
const AGENTS = ['RESEARCH', 'WRITER', 'FACT_CHECK', 'SECURITY', 'PERF', 'COMPLIANCE'];
const TOOLS = ['execute_request', 'record_rejection', 'retrieve_top_chunks', 'search_sec_filings', 'search_news'].concat(
  ['analyze_sentiment', 'parse_10k', 'compute_ratios', 'check_portfolio_exposure', 'check_sector_concentration'],
  ['check_correlation_risk', 'check_leverage_ratio'],
);

/** What a model says, by what it is asked for. */
function answerOf(asked: string): Json {
  if (/rubric:/i.test(asked)) return { score: 5, reason: 'as it should be' };
  if (/sql \(string\)/i.test(asked)) return { sql: 'SELECT 1', explanation: 'one' };
  if (/key_points \(list\)/i.test(asked))
    return { research_query: 'tea', content_type: 'post', target_audience: 'all', key_points: ['a', 'b'] };
  if (/risk_level/i.test(asked)) return { risk_assessment: 'small', risk_level: 'low' };
  if (/SCORE:/.test(asked)) return 'SCORE: 5\nCRITIQUE: fine';
  return `An answer in words. ${'It says all that was asked for. '.repeat(10)}`;
}

const FOUND = { title: 't', body: 'b', diff: 'd', files: ['f'], documents: ['d'] };

/** A provider of models, an MCP server, an HTTP server and a remote agent that take whatever comes. */
async function counterparts() {
  const models = await webServer((_request, response) => {
    const body = JSON.parse(models.requests.at(-1)?.body ?? '{}') as JsonObject;
    const answer = answerOf(JSON.stringify(body.messages));
    reply(response, chatAnswer({ content: typeof answer === 'string' ? answer : JSON.stringify(answer) }));
  });
  const mcp = await webServer((request, response) => {
    const body = mcp.requests.at(-1)?.body ?? '';
    const server = new Server({ name: 'any', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [] }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
      content: [{ type: 'text', text: JSON.stringify(/search$/.test(params.name) ? ['one', 'two'] : FOUND) }],
    }));
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    void server
      .connect(transport as never)
      .then(() => transport.handleRequest(request, response, body === '' ? undefined : JSON.parse(body)));
  });
  const granted = 'urn:ietf:params:oauth:token-type:access_token';
  const http = await webServer((_request, response) =>
    reply(response, { access_token: 't', issued_token_type: granted, token_type: 'Bearer', expires_in: 60, rows: [1] }),
  );
  const agent = await a2aAgent({ version: '1.0' });
  return { models: models.url, mcp: mcp.url, http: http.url, agent: agent.url };
}

const INPUT = {
  repo: 'owner/repo',
  pr_number: 42,
  task: 'tea',
  query: 'tea',
  question: 'how many',
  path: 'README.md',
  request: 'refund',
  topic: 'tea',
  depth: 'brief',
  amount: 20_000,
  date: '2026-01-01',
  artifact_url: 'https://x.example',
  message: 'hello',
  a: 1,
  b: 2,
  goal: 'find',
  allergies: ['nuts'],
  agent_url: '',
};

function each<T>(names: readonly string[], value: T): Readonly<Record<string, T>> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/** What the files name, with the counterparts behind it. */
function providedBy({ models: baseUrl, mcp, http, agent }: Awaited<ReturnType<typeof counterparts>>) {
  const model = { provider: 'openai', model: 'gpt-4o', baseUrl } as const;
  const apis = ['API1', 'API2', 'API3', 'REPORTS'];
  return {
    models: { providers: { openai: { apiKey: 'k', baseUrl } }, names: each(MODELS, model) },
    mcpServers: each(SERVERS, { url: mcp }),
    tools: { ...each(TOOLS, (input: unknown) => ({ done: true, given: input as Json })), finish: () => true },
    vars: {
      ...each(
        apis.map((api) => `${api}_URL`),
        http,
      ),
      ...each(
        apis.flatMap((api) => [`${api}_TOKEN`, `${api}_KEY`]),
        'secret-token',
      ),
      ...each(
        AGENTS.map((name) => `${name}_AGENT_URL`),
        agent,
      ),
      MCP_DOCS_SERVER: mcp,
      JAMJET_OAUTH_TOKEN_ENDPOINT: http,
      JAMJET_OAUTH_CLIENT_ID: 'client',
      JAMJET_OAUTH_CLIENT_SECRET: 'secret',
    },
  };
}

describe('a workflow file of other authors', () => {
  it.each(files())('is valid and completes: %s', async (file) => {
    const { workflows, diagnostics } = checkWorkflow(readFileSync(file, 'utf8'), file);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const at = await counterparts();
    const bench = await openTestRuntime({ allowPrivateAddresses: true, ...providedBy(at) });
    for (const { document } of workflows as unknown as { document: JsonObject }[]) {
      const { workflowId } = await bench.runtime.register(CALLER, document);
      const input = { ...INPUT, agent_url: at.agent };
      const { executionId: id } = await bench.runtime.start(CALLER, {
        workflowId,
        input,
        ...(document.oauth === undefined ? {} : { subjectToken: 'of-ann' }),
      });
      let view = await bench.settled(id);
      for (
        let need = await bench.runtime.inputNeed('default', id);
        need !== null;
        need = await bench.runtime.inputNeed('default', id)
      ) {
        for (const nodeId of need.approvals) await bench.runtime.approve(CALLER, id, { decision: 'approved', nodeId });
        for (const key of need.events) await bench.runtime.sendEvent(CALLER, id, { key, payload: { approved: true } });
        view = await bench.settled(id);
      }
      // A filter that does not exist is a warning, and fails the node that uses it.
      const unknown = diagnostics.find(({ code }) => code === 'unknown_filter');
      const ended =
        unknown === undefined ? { status: 'completed', error: null } : { status: 'failed', error: expect.any(String) };
      expect({ workflowId, status: view.status, error: view.error }).toEqual({ workflowId, ...ended });
      expect(await bench.runtime.replay('default', id)).toMatchObject({ mismatch: null });
    }
  });
});
