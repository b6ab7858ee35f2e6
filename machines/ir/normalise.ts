import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { MAX_EDGES, MAX_NODES } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import { readDocumentCooperatively } from '../reading/document.ts';
import { Fields } from '../reading/fields.ts';
import { nameProblem, nodeIdProblem } from '../reading/names.ts';
import { Problems } from '../reading/problems.ts';
import { shortened } from '../shortened.ts';
import { dataPolicyOf } from './data-policy.ts';
import { expandNodes } from './expand.ts';
import { withHandoffs } from './handoffs.ts';
import { readMcpServers } from './mcp-servers.ts';
import { withDeclaredModels } from './models.ts';
import { type NodeDefaults, readNode } from './node.ts';
import { oauthOf } from './oauth.ts';
import { withScopesOf } from './oauth-scopes.ts';
import { policyOf, readPolicies } from './policy.ts';
import { readPublish } from './publish.ts';
import { readRemoteAgents } from './remote-agents.ts';
import { retryPolicies } from './retry.ts';
import { budgetSettings, readTimeouts, readTools, stateSettings, stepSettings } from './settings.ts';
import { strategyOf } from './strategy.ts';
import { withToolFunctions } from './tool-functions.ts';
import type { Edge, Node, Workflow } from './workflow.ts';

/**
 * Reads a workflow document in any accepted spelling into its normal form. `diagnostics` are warnings; a document with errors throws
 * `InvalidWorkflow` with all of them. Edges are not checked here.
 */
export function normalise(document: unknown): NormalisedDocument {
  return runToEnd(normaliseCooperatively(document));
}

interface NormalisedDocument {
  readonly workflow: Workflow;
  readonly diagnostics: readonly Diagnostic[];
}

/** `normalise` as a cooperative computation. */
export function* normaliseCooperatively(document: unknown): Cooperative<NormalisedDocument> {
  const { workflow, problems } = yield* normaliseLeniently(document);
  problems.throwIfFailed();
  if (workflow === null) throw new Error('internal error: a document without errors has no workflow');
  return { workflow, diagnostics: problems.all };
}

interface LenientResult {
  readonly workflow: Workflow | null;
  readonly problems: Problems;
}

/**
 * Like `normalise`, but never throws. When there are errors, parts of the workflow are replaced or missing, and it only serves to find more
 * errors. Null = the document is no object.
 */
export function* normaliseLeniently(document: unknown): Cooperative<LenientResult> {
  const problems = new Problems();
  const source = yield* readDocumentCooperatively(document, problems);
  yield;
  return { workflow: source === null ? null : yield* readWorkflow(source, problems), problems };
}

function* readWorkflow(source: JsonObject, problems: Problems): Cooperative<Workflow> {
  const fields = new Fields(source, { prefix: 'ir.', path: '', node_id: null }, problems);
  const workflow_id = fields.requiredText('workflow_id');
  const version = fields.version('version') ?? missingVersion(fields);
  if (workflow_id === '.' || workflow_id === '..')
    fields.error('bad_name', 'workflow_id', `must not be "${workflow_id}", which is not possible in a URL`);
  for (const [key, name] of Object.entries({ workflow_id, version })) {
    const problem = name === '' ? null : nameProblem(name);
    if (problem !== null) fields.error('bad_name', key, problem);
  }

  const timeouts = readTimeouts(fields);
  const defaults = { retryPolicies: retryPolicies(fields), timeouts };
  const authored = withHandoffs(yield* readNodes(fields, defaults), fields);
  const { nodes, edges } = yield* expandNodes(authored, yield* readEdges(fields), fields, defaults);
  yield;
  const targetsInNodes = nodes.reduce((sum, node) => sum + targetCount(node), 0);
  yield;
  if (edges.length + targetsInNodes > MAX_EDGES) tooManyEdges(fields, edges.length + targetsInNodes);
  const tools = readTools(fields, calledTools(nodes));
  const strategy = strategyOf(fields);
  fields.object('remote_agents');
  const oauth = oauthOf(fields);
  return {
    workflow_id,
    version,
    name: fields.text('name') ?? null,
    description: fields.text('description') ?? null,
    ...stateSettings(fields),
    start_node: fields.name('start_node') ?? defaultStart(authored, edges),
    nodes: yield* withDeclarations(nodes, { tools, oauth, retryPolicies: defaults.retryPolicies }, fields),
    edges,
    timeouts,
    tools,
    mcp_servers: readMcpServers(fields, calledServers(nodes)),
    remote_agents: readRemoteAgents(fields),
    publish: readPublish(fields),
    labels: fields.labels('labels'),
    policy: policyOf(fields),
    policies: readPolicies(fields, nodes),
    data_policy: dataPolicyOf(fields),
    ...budgetSettings(fields, strategy?.maxCostUsd ?? null),
    ...stepSettings(fields),
    strategy,
    oauth,
    source,
  };
}

/** The nodes, with what the workflow declares of the tools, the models and the scopes that they name. */
function* withDeclarations(
  nodes: readonly Node[],
  { tools, oauth, retryPolicies }: Pick<Workflow, 'tools' | 'oauth'> & Pick<NodeDefaults, 'retryPolicies'>,
  fields: Fields,
): Cooperative<readonly Node[]> {
  yield;
  const withModels = withDeclaredModels(withToolFunctions(nodes, tools, fields), fields, retryPolicies);
  yield;
  return withScopesOf(oauth, withModels, fields);
}

function missingVersion(fields: Fields): string {
  if (fields.raw.version === undefined || fields.raw.version === null || fields.raw.version === '') {
    fields.error('missing_key', 'version', 'is required');
  }
  return '';
}

/** Reads a map of nodes by id, or a list of nodes with an `id`. */
function* readNodes(fields: Fields, defaults: NodeDefaults): Cooperative<Node[]> {
  const raw = fields.json('nodes');
  const entries: [string | null, Json][] = Array.isArray(raw)
    ? raw.map((node: Json) => [isObject(node) && typeof node.id === 'string' ? node.id : null, node])
    : isObject(raw)
      ? Object.entries(raw)
      : [];
  if (raw === undefined) fields.error('missing_key', 'nodes', 'is required');
  else if (!isObject(raw) && !Array.isArray(raw)) fields.error('wrong_type', 'nodes', 'must be an object or a list');
  else if (entries.length === 0) fields.error('no_nodes', 'nodes', 'must not be empty');
  if (entries.length > MAX_NODES) {
    fields.error(
      'too_many_nodes',
      'nodes',
      `has ${entries.length} nodes; at most ${MAX_NODES} are allowed`,
      'split it with subgraph nodes',
    );
    return [];
  }

  const seen = new Set<string>();
  const nodes: Node[] = [];
  for (const [i, [id, node]] of entries.entries()) {
    if (!isObject(node)) fields.error('wrong_type', id === null ? `nodes[${i}]` : `nodes.${id}`, 'must be an object');
    else if (id === null) fields.error('missing_key', `nodes[${i}].id`, 'is required');
    else if (seen.has(id)) fields.error('duplicate_node', `nodes[${i}].id`, `"${id}" is used twice`);
    else if (checkNodeId(id, node, fields)) {
      seen.add(id);
      nodes.push(readNode(id, node, defaults, fields.problems));
    }
    yield;
  }
  return nodes;
}

function checkNodeId(id: string, node: JsonObject, fields: Fields): boolean {
  const problem = nodeIdProblem(id);
  const at = { node_id: id, path: `nodes.${id}` };
  if (problem !== null) fields.problems.error('bad_name', `node id ${JSON.stringify(shortened(id, 60))} ${problem}`, at);
  else if (node.id !== undefined && node.id !== null && node.id !== id) {
    fields.problems.error('id_mismatch', `node "${id}" has the id ${shortened(JSON.stringify(node.id), 60)}`, {
      ...at,
      path: `nodes.${id}.id`,
    });
  }
  return problem === null;
}

function* readEdges(fields: Fields): Cooperative<Edge[]> {
  const list = fields.list('edges') ?? [];
  if (list.length > MAX_EDGES) {
    tooManyEdges(fields, list.length);
    return [];
  }
  const edges: Edge[] = [];
  for (const [i, raw] of list.entries()) {
    yield;
    if (!isObject(raw)) {
      fields.error('wrong_type', `edges[${i}]`, 'must be an object {from, to}');
      continue;
    }
    const edge = fields.inside(`edges[${i}]`, raw);
    const [from, to] = [edge.requiredName('from'), edge.requiredName('to')];
    edges.push({ from, to, condition: edge.text('condition', 'when') ?? null });
  }
  return edges;
}

function tooManyEdges(fields: Fields, count: number): void {
  fields.error('too_many_edges', 'edges', `has ${count} edges, those named in nodes included; at most ${MAX_EDGES} are allowed`);
}

/** The targets that a node names and the sources that it waits for, which count as edges. */
function targetCount({ kind }: Node): number {
  const definition = definitionOf(kind);
  return definition.targets(kind).length + definition.waitsForNodes(kind).length;
}

/** Names of the tools that nodes call. */
function calledTools(nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ kind }) => definitionOf(kind).catalogTool(kind) ?? []));
}

/** Names of the MCP servers that nodes call. */
function calledServers(nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ kind }) => definitionOf(kind).mcpServer(kind) ?? []));
}

/** The only node that nothing leads to, else the first node. */
function defaultStart(all: readonly Node[], edges: readonly Edge[]): string {
  const nodes = all.filter(({ kind }) => definitionOf(kind).runsAtEnd(kind) === null);
  const reached = new Set(edges.map((edge) => edge.to));
  for (const { kind } of nodes) {
    for (const { to } of definitionOf(kind).targets(kind)) reached.add(to);
    for (const { agent } of definitionOf(kind).handoffs(kind)) reached.add(agent);
  }
  const [root, another] = nodes.filter((node) => !reached.has(node.id));
  return (another === undefined ? root : undefined)?.id ?? nodes[0]?.id ?? 'start';
}
