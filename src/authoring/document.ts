import { runToEnd } from '../../machines/cooperative.ts';
import { normaliseLeniently } from '../../machines/ir/normalise.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { withInlineServers } from './addresses.ts';
import { readEdgeList } from './edge-list.ts';
import { documentEdges } from './edges.ts';
import { warnAboutMissedJoins } from './joins.ts';
import { definitionWritten, runsAtEnd } from './kinds.ts';
import type { Located, MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import { nodeEntries } from './node-entries.ts';
import { readNode, writtenType } from './nodes.ts';
import { presentEntries, readSettings } from './settings.ts';
import { RecordedSourceMap } from './source-map.ts';
import { stateSchema } from './state-schema.ts';
import { TargetResolver } from './targets.ts';
import { type AuthoredTest, readTests } from './tests.ts';
import { withTimeoutWords } from './timeout-words.ts';
import { readTools, type Tools } from './tools.ts';
import { isMap, isSeq } from './tree.ts';
import type { Field } from './values.ts';

/** A workflow as a document, with the positions of its parts in the file. */
export interface CompiledWorkflow {
  readonly document: Record<string, Json>;
  readonly sourceMap: RecordedSourceMap;
  readonly localTools: Tools['local'];
  readonly tests: readonly AuthoredTest[];
}

/** Settings of a bundle that apply to each of its workflows. */
export interface BundleSettings {
  readonly id: Located<string>;
  readonly version: Located<string> | null;
  readonly tools: MapReader | null;
  /** Tools that agents of the bundle use. */
  readonly usedTools: ReadonlySet<string>;
  readonly mcpServers: Located<Json> | null;
}

/**
 * Compiles the map at the top of a file, or a workflow of a bundle: `workflow:` and `nodes:`, or `id`, `version` … and `nodes:` without a
 * header.
 */
export function compileDocument(top: MapReader, bundle: BundleSettings | null = null): CompiledWorkflow | null {
  const header = top.map('workflow', 'workflow') ?? top;
  const nodes = readNodes(top, header);
  if (nodes === null) return null;
  const sourceMap = new RecordedSourceMap();
  const readers = nodeEntries(nodes, top);
  const ends = new Set(readers.filter(({ reader }) => writtenType(reader) === 'end').map(({ id }) => id));
  const targets = new TargetResolver(ends);
  for (const { id, reader } of readers) if (ends.has(id)) readEndNode(reader);
  const written = readers.filter(({ id }) => !ends.has(id)).map(({ id, reader }) => readNode(id, reader, targets, sourceMap));
  const routed = withEdgeList(top, written, targets);
  const { drafts, servers } = withInlineServers(withTimeoutWords(routed));
  warnAboutMissedJoins(drafts, top.source.findings);

  const catalog = top.map('tools', 'tools') ?? bundle?.tools ?? null;
  if (catalog !== null) sourceMap.recordAll('tools', catalog);
  const tools = readTools(catalog, bundle?.usedTools);
  const document: Record<string, Json> = { ...readHeader(header, sourceMap, bundle) };
  const start = readStart(
    header,
    targets,
    drafts.filter(({ kind }) => !runsAtEnd(kind)).map(({ id }) => id),
  );
  if (start !== null) {
    document.start_node = start.value;
    sourceMap.record('start_node', start.offset);
  }
  document.nodes = Object.fromEntries(drafts.map((draft) => [draft.id, nodeJson(draft)]));
  document.edges = documentEdges(drafts, sourceMap);
  sourceMap.record('nodes', nodes.keyOffset);
  Object.assign(document, readSettings(top, header, sourceMap), { tools: tools.catalog });
  if (bundle?.mcpServers != null && !top.has('mcp')) document.mcp_servers = bundle.mcpServers.value;
  if (Object.keys(servers).length > 0) document.mcp_servers = { ...asObject(document.mcp_servers), ...servers };
  const tests = readTests(top, { kinds: kindsOf(drafts, document), ends });
  top.warnAboutUnread(header === top ? null : header);
  if (header !== top) header.warnAboutUnread();
  return { document, sourceMap, localTools: tools.local, tests };
}

/** The kinds of the nodes of the file, and of those that they stand for. */
function kindsOf(drafts: readonly NodeDraft[], document: JsonObject): ReadonlyMap<string, string> {
  const written = drafts.map(({ id, kind }): [string, string] => [id, String(kind.type)]);
  if (!written.some(([, type]) => definitionWritten(type)?.expands === true)) return new Map(written);
  const nodes = runToEnd(normaliseLeniently(document)).workflow?.nodes ?? [];
  return new Map([...nodes.map(({ id, kind }): [string, string] => [id, kind.type]), ...written]);
}

/** `nodes` at the top of the file or inside its header: a map or a list. */
function readNodes(top: MapReader, header: MapReader): Field | null {
  const nested = header === top ? null : header.find('nodes');
  const beside = top.find('nodes');
  if (nested !== null && beside !== null)
    top.error(
      'given_twice',
      '"nodes" is at the top of the file and inside "workflow"',
      nested.keyOffset,
      'remove one of the two',
    );
  const field = beside ?? nested ?? top.fields.find(({ key }) => key === 'nodes') ?? null;
  const isFilled = (isMap(field?.value) || isSeq(field?.value)) && field.value.items.length > 0;
  if (field !== null && isFilled) return field;
  const hint =
    header === top && !top.has('id')
      ? 'a workflow file has "workflow:" with an id, and "nodes:"'
      : 'write "nodes:" with at least one node below it';
  const message =
    field === null ? 'the file has no "nodes": there is nothing to run' : '"nodes" must be a map of at least one node';
  top.error('no_nodes', message, field?.keyOffset ?? top.offset, hint);
  return null;
}

/** The nodes with the routes of `edges:` at the top of the file. */
function withEdgeList(top: MapReader, drafts: readonly NodeDraft[], targets: TargetResolver): readonly NodeDraft[] {
  const edges = readEdgeList(top, new Set(drafts.map(({ id }) => id)), targets);
  return drafts.map((draft) => {
    const routes = edges.get(draft.id);
    if (routes === undefined) return draft;
    const [first] = routes;
    if (draft.next !== null && first !== undefined)
      top.error('given_twice', `node "${draft.id}" has "next" and an edge in "edges"`, first.to.offset, 'remove one of the two');
    return { ...draft, next: routes };
  });
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** Reads a node of type `end`, for which the document has the target `end`. */
function readEndNode(reader: MapReader): void {
  for (const key of ['type', 'kind', 'description', 'labels']) reader.find(key);
  reader.warnAboutUnread();
}

function readHeader(header: MapReader, sourceMap: RecordedSourceMap, bundle: BundleSettings | null): Record<string, Json> {
  const id = bundle?.id ?? header.text('id', 'workflow_id');
  const version = header.text('version') ?? bundle?.version ?? null;
  if (id === null)
    header.warning(
      'missing_id',
      'the workflow has no id: it is called "unknown"',
      header.offset,
      'write "id: <name>" below "workflow:"',
    );
  const found: Record<string, Located<Json> | null> = {
    workflow_id: id ?? { value: 'unknown', offset: header.offset },
    version: version ?? { value: '0.1.0', offset: header.offset },
    name: header.text('name'),
    description: header.text('description'),
    state_schema: { value: stateSchema(header) ?? '', offset: header.find('state_schema')?.offset ?? header.offset },
  };
  return presentEntries(found, sourceMap);
}

/** The start node. Default: the first of `ids`. */
function readStart(header: MapReader, targets: TargetResolver, ids: readonly string[]): Located<string> | null {
  const start = header.text('start', 'start_node');
  if (start !== null && targets.isEnd(start.value)) {
    header.error('starts_at_end', `the workflow starts at "${start.value}", which ends it`, start.offset);
  }
  const first = start?.value ?? ids[0];
  return first === undefined ? null : { value: first, offset: start?.offset ?? header.offset };
}

function nodeJson({ id, kind, node }: NodeDraft): Json {
  return { id, kind, ...node };
}
