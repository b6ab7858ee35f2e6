import { isMap, isSeq } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { documentEdges } from './edges.ts';
import { warnAboutMissedJoins } from './joins.ts';
import { type Located, MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import { nodeReaders, readNode, writtenType } from './nodes.ts';
import { presentEntries, readSettings } from './settings.ts';
import { RecordedSourceMap } from './source-map.ts';
import { stateSchema } from './state-schema.ts';
import { TargetResolver } from './targets.ts';
import { type AuthoredTest, readTests } from './tests.ts';
import { readTools, type Tools } from './tools.ts';

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
  const readers = nodeReaders(nodes);
  const ends = new Set(readers.filter(({ reader }) => writtenType(reader) === 'end').map(({ id }) => id));
  const targets = new TargetResolver(ends);
  for (const { id, reader } of readers) if (ends.has(id)) readEndNode(reader);
  const drafts = readers.filter(({ id }) => !ends.has(id)).map(({ id, reader }) => readNode(id, reader, targets, sourceMap));
  warnAboutMissedJoins(drafts, nodes.source.findings);

  const catalog = top.map('tools', 'tools') ?? bundle?.tools ?? null;
  if (catalog !== null) sourceMap.recordAll('tools', catalog);
  const tools = readTools(catalog, bundle?.usedTools);
  const document: Record<string, Json> = { ...readHeader(header, sourceMap, bundle) };
  const start = readStart(
    header,
    targets,
    readers.map(({ id }) => id),
  );
  if (start !== null) {
    document.start_node = start.value;
    sourceMap.record('start_node', start.offset);
  }
  document.nodes = Object.fromEntries(drafts.map((draft) => [draft.id, nodeJson(draft)]));
  document.edges = documentEdges(drafts, sourceMap);
  sourceMap.record('nodes', nodes.offset);
  Object.assign(document, readSettings(top, header, sourceMap), { tools: tools.catalog });
  if (bundle?.mcpServers != null && !top.has('mcp')) document.mcp_servers = bundle.mcpServers.value;
  const kinds = new Map(drafts.map(({ id, kind }) => [id, String(kind.type)]));
  const tests = readTests(top, { kinds, ends });
  top.warnAboutUnread();
  if (header !== top) header.warnAboutUnread();
  return { document, sourceMap, localTools: tools.local, tests };
}

function readNodes(top: MapReader, header: MapReader): MapReader | null {
  const nested = header === top ? null : (header.fields.find(({ key, value }) => key === 'nodes' && value !== null) ?? null);
  top.find('nodes');
  const field = top.fields.find(({ key }) => key === 'nodes') ?? null;
  const listed = [nested, field].find((candidate) => isSeq(candidate?.value));
  if (listed !== undefined && listed !== null) {
    top.error(
      'unsupported_dialect',
      '"nodes" is a list of {id, kind, config, edges}, a form that is not supported',
      listed.keyOffset,
      'write "nodes:" as a map beside "workflow:", each node with "type", its keys and "next"',
    );
    return null;
  }
  if (nested !== null) {
    top.error(
      'misplaced_nodes',
      '"nodes" is inside "workflow"',
      nested.keyOffset,
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
      field?.keyOffset ?? top.offset,
      hint,
    );
    return null;
  }
  return new MapReader(field.value, field.keyOffset, 'nodes', top.source);
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

/** The start node. Default: the first node. */
function readStart(header: MapReader, targets: TargetResolver, ids: readonly string[]): Located<string> | null {
  const start = header.text('start', 'start_node');
  if (start !== null && targets.isEnd(start.value)) {
    header.error('starts_at_end', `the workflow starts at "${start.value}", which ends it`, start.offset);
  }
  const first = start?.value ?? ids.find((id) => !targets.isEnd(id));
  return first === undefined ? null : { value: first, offset: start?.offset ?? header.offset };
}

function nodeJson({ id, kind, node }: NodeDraft): Json {
  return { id, kind, ...node };
}
