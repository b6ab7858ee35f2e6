import { isMap, isSeq } from 'yaml';
import type { Json } from '../../machines/json.ts';
import type { NodeDraft } from './draft.ts';
import { edgesOf } from './edges.ts';
import { warnOfMissedJoins } from './joins.ts';
import { nodeSections, readNode, typeOf } from './nodes.ts';
import { MarkedPlaces } from './places.ts';
import { labelsOf, policyOf } from './policy.ts';
import { retryPolicy } from './retries.ts';
import { type At, Section } from './section.ts';
import { stateSchema } from './state-schema.ts';
import { Targets } from './targets.ts';
import { readTools, type Tools } from './tools.ts';

/** What a workflow file says, in the runtime's words. */
export interface Compiled {
  readonly document: Record<string, Json>;
  readonly places: MarkedPlaces;
  readonly local: Tools['local'];
}

/** Compiles the map at the top of a file: `workflow:` and `nodes:`, or `id`, `version` … and `nodes:` without a header. */
export function compileDocument(top: Section): Compiled | null {
  const header = top.section('workflow', 'workflow') ?? top;
  const nodes = nodesOf(top, header);
  if (nodes === null) return null;
  const places = new MarkedPlaces();
  const sections = nodeSections(nodes);
  const ends = new Set(sections.filter(({ section }) => typeOf(section) === 'end').map(({ id }) => id));
  const targets = new Targets(ends);
  for (const { id, section } of sections) if (ends.has(id)) readEnd(section);
  const drafts = sections.filter(({ id }) => !ends.has(id)).map(({ id, section }) => readNode(id, section, targets, places));
  warnOfMissedJoins(drafts, nodes.source.findings);

  const tools = readTools(top.section('tools', 'tools'));
  const document: Record<string, Json> = { ...headerOf(header, places) };
  const start = startOf(
    header,
    targets,
    sections.map(({ id }) => id),
  );
  if (start !== null) {
    document.start_node = start.value;
    places.mark('start_node', start.at);
  }
  document.nodes = Object.fromEntries(drafts.map((draft) => [draft.id, nodeJson(draft)]));
  document.edges = edgesOf(drafts, places);
  places.mark('nodes', nodes.at);
  Object.assign(document, settingsOf(top, header, places), { tools: tools.catalog });
  top.finish();
  if (header !== top) header.finish();
  return { document, places, local: tools.local };
}

function nodesOf(top: Section, header: Section): Section | null {
  const nested = header === top ? null : header.find('nodes');
  top.find('nodes');
  const field = top.fields.find(({ key }) => key === 'nodes') ?? null;
  const listed = [nested, field].find((candidate) => isSeq(candidate?.value));
  if (listed !== undefined && listed !== null) {
    top.error(
      'unsupported_dialect',
      '"nodes" is a list of {id, kind, config, edges}: that dialect is not supported',
      listed.keyAt,
      'write "nodes:" as a map beside "workflow:", each node with "type", its keys and "next"',
    );
    return null;
  }
  if (nested !== null) {
    top.error(
      'misplaced_nodes',
      '"nodes" stands inside "workflow"',
      nested.keyAt,
      'move it to the top level, beside "workflow:"',
    );
    return null;
  }
  if (field === null || !isMap(field.value) || field.value.items.length === 0) {
    const hint =
      header === top && !top.has('id')
        ? 'a workflow file has "workflow:" with an id, and "nodes:"'
        : 'write "nodes:" with at least one node below it';
    top.error(
      'no_nodes',
      field === null ? 'the file has no "nodes": there is nothing to run' : '"nodes" must be a map of at least one node',
      field?.keyAt ?? top.at,
      hint,
    );
    return null;
  }
  return new Section(field.value, field.keyAt, 'nodes', top.source);
}

/** An end node says nothing but that; the document has the target `end` instead. */
function readEnd(section: Section): void {
  for (const key of ['type', 'kind', 'description', 'labels']) section.find(key);
  section.finish();
}

function headerOf(header: Section, places: MarkedPlaces): Record<string, Json> {
  const id = header.text('id', 'workflow_id');
  const version = header.text('version');
  if (id === null)
    header.warning(
      'missing_id',
      'the workflow has no id: it is called "unknown"',
      header.at,
      'write "id: <name>" below "workflow:"',
    );
  const found: Record<string, At<Json> | null> = {
    workflow_id: id ?? { value: 'unknown', at: header.at },
    version: version ?? { value: '0.1.0', at: header.at },
    name: header.text('name'),
    description: header.text('description'),
    state_schema: { value: stateSchema(header) ?? '', at: header.find('state_schema')?.at ?? header.at },
  };
  return kept(found, places);
}

/** The start node; the first node written when the header does not say. */
function startOf(header: Section, targets: Targets, ids: readonly string[]): At<string> | null {
  const start = header.text('start', 'start_node');
  if (start !== null && targets.isEnd(start.value)) {
    header.error('starts_at_end', `the workflow starts at "${start.value}", which ends it`, start.at);
  }
  const first = start?.value ?? ids.find((id) => !targets.isEnd(id));
  return first === undefined ? null : { value: first, at: start?.at ?? header.at };
}

/** Settings of the whole workflow, at the top of the file or in its header. */
function settingsOf(top: Section, header: Section, places: MarkedPlaces): Record<string, Json> {
  const sections = header === top ? [top] : [top, header];
  const either = <T>(key: string, read: (section: Section) => T | null): T | null => {
    const [first, second] = sections.flatMap((section) => (section.find(key) === null ? [] : [section]));
    if (second !== undefined)
      second.error(
        'given_twice',
        `"${key}" stands at the top of the file and inside "workflow"`,
        second.find(key)?.keyAt ?? second.at,
        'remove one of the two',
      );
    return first === undefined ? null : read(first);
  };
  const verbatim = (key: string) => either(key, (section) => section.json(key));
  const found: Record<string, At<Json> | null> = {
    retry_policies: either('retry_policies', retryPolicies) ?? { value: {}, at: top.at },
    timeouts: either('timeouts', timeouts),
    models: verbatim('models') ?? { value: {}, at: top.at },
    mcp_servers: top.section('mcp', 'mcp')?.json('servers') ?? { value: {}, at: top.at },
    remote_agents: top.section('a2a', 'a2a')?.json('remote_agents') ?? { value: {}, at: top.at },
    labels: either('labels', labelsOf) ?? { value: {}, at: header.at },
    policy: either('policy', policyOf),
  };
  for (const key of ['data_policy', 'token_budget', 'cost_budget_usd', 'on_budget_exceeded', 'continue_as_new'])
    found[key] = verbatim(key);
  return kept(found, places);
}

function retryPolicies(section: Section): At<Json> | null {
  const policies = section.section('retry_policies', 'retry_policies');
  if (policies === null) return null;
  const named = policies.fields.map(({ key }) => [key, policies.section(`retry policy "${key}"`, key)] as const);
  return {
    value: Object.fromEntries(named.flatMap(([key, policy]) => (policy === null ? [] : [[key, retryPolicy(policy)]]))),
    at: policies.at,
  };
}

function timeouts(section: Section): At<Json> | null {
  const given = section.section('timeouts', 'timeouts');
  if (given === null) return null;
  const value: Record<string, Json> = {};
  for (const key of ['node_timeout', 'workflow_timeout', 'approval_timeout', 'heartbeat_interval']) {
    const seconds = given.seconds([key]);
    if (seconds !== null) value[key] = seconds.value;
  }
  given.finish();
  return { value, at: given.at };
}

function kept(found: Readonly<Record<string, At<Json> | null>>, places: MarkedPlaces): Record<string, Json> {
  const present = Object.entries(found).flatMap(([key, entry]) => (entry === null ? [] : [[key, entry] as const]));
  for (const [key, { at }] of present) places.mark(key, at);
  return Object.fromEntries(present.map(([key, { value }]) => [key, value]));
}

function nodeJson({ id, kind, node }: NodeDraft): Json {
  return { id, kind, ...node };
}
