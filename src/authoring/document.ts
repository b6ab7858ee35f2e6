import { isMap, isSeq } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { edgesOf } from './edges.ts';
import { warnAboutMissedJoins } from './joins.ts';
import { type Located, MapReader } from './map-reader.ts';
import type { NodeDraft } from './node-draft.ts';
import { nodeSections, readNode, typeOf } from './nodes.ts';
import { presentEntries, settingsOf } from './settings.ts';
import { RecordedSourceMap } from './source-map.ts';
import { stateSchema } from './state-schema.ts';
import { TargetResolver } from './targets.ts';
import { type AuthoredTest, readTests } from './tests.ts';
import { readTools, type Tools } from './tools.ts';

/** What a workflow file says, in the runtime's words. */
export interface CompiledWorkflow {
  readonly document: Record<string, Json>;
  readonly places: RecordedSourceMap;
  readonly local: Tools['local'];
  readonly tests: readonly AuthoredTest[];
}

/** What the unit of a fleet has from the file around it. */
export interface BundleSettings {
  readonly id: Located<string>;
  readonly version: Located<string> | null;
  readonly tools: MapReader | null;
}

/**
 * Compiles the map at the top of a file: `workflow:` and `nodes:`, or `id`, `version` … and `nodes:` without a header; so is the unit
 * of a fleet.
 */
export function compileDocument(top: MapReader, shared: BundleSettings | null = null): CompiledWorkflow | null {
  const header = top.map('workflow', 'workflow') ?? top;
  const nodes = nodesOf(top, header);
  if (nodes === null) return null;
  const places = new RecordedSourceMap();
  const sections = nodeSections(nodes);
  const ends = new Set(sections.filter(({ section }) => typeOf(section) === 'end').map(({ id }) => id));
  const targets = new TargetResolver(ends);
  for (const { id, section } of sections) if (ends.has(id)) readEnd(section);
  const drafts = sections.filter(({ id }) => !ends.has(id)).map(({ id, section }) => readNode(id, section, targets, places));
  warnAboutMissedJoins(drafts, nodes.source.findings);

  const catalog = top.map('tools', 'tools') ?? shared?.tools ?? null;
  if (catalog !== null) places.recordAll('tools', catalog);
  const tools = readTools(catalog);
  const document: Record<string, Json> = { ...headerOf(header, places, shared) };
  const start = startOf(
    header,
    targets,
    sections.map(({ id }) => id),
  );
  if (start !== null) {
    document.start_node = start.value;
    places.record('start_node', start.at);
  }
  document.nodes = Object.fromEntries(drafts.map((draft) => [draft.id, nodeJson(draft)]));
  document.edges = edgesOf(drafts, places);
  places.record('nodes', nodes.at);
  Object.assign(document, settingsOf(top, header, places), { tools: tools.catalog });
  const kinds = new Map(drafts.map(({ id, kind }) => [id, String(kind.type)]));
  const tests = readTests(top, { kinds, ends });
  top.warnOfUnread();
  if (header !== top) header.warnOfUnread();
  return { document, places, local: tools.local, tests };
}

function nodesOf(top: MapReader, header: MapReader): MapReader | null {
  const nested = header === top ? null : (header.fields.find(({ key, value }) => key === 'nodes' && value !== null) ?? null);
  top.find('nodes');
  const field = top.fields.find(({ key }) => key === 'nodes') ?? null;
  const listed = [nested, field].find((candidate) => isSeq(candidate?.value));
  if (listed !== undefined && listed !== null) {
    top.error(
      'unsupported_dialect',
      '"nodes" is a list of {id, kind, config, edges}: that dialect is not supported',
      listed.keyOffset,
      'write "nodes:" as a map beside "workflow:", each node with "type", its keys and "next"',
    );
    return null;
  }
  if (nested !== null) {
    top.error(
      'misplaced_nodes',
      '"nodes" stands inside "workflow"',
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
      field?.keyOffset ?? top.at,
      hint,
    );
    return null;
  }
  return new MapReader(field.value, field.keyOffset, 'nodes', top.source);
}

/** An end node says nothing but that; the document has the target `end` instead. */
function readEnd(section: MapReader): void {
  for (const key of ['type', 'kind', 'description', 'labels']) section.find(key);
  section.warnOfUnread();
}

function headerOf(header: MapReader, places: RecordedSourceMap, shared: BundleSettings | null): Record<string, Json> {
  const id = shared?.id ?? header.text('id', 'workflow_id');
  const version = header.text('version') ?? shared?.version ?? null;
  if (id === null)
    header.warning(
      'missing_id',
      'the workflow has no id: it is called "unknown"',
      header.at,
      'write "id: <name>" below "workflow:"',
    );
  const found: Record<string, Located<Json> | null> = {
    workflow_id: id ?? { value: 'unknown', at: header.at },
    version: version ?? { value: '0.1.0', at: header.at },
    name: header.text('name'),
    description: header.text('description'),
    state_schema: { value: stateSchema(header) ?? '', at: header.find('state_schema')?.at ?? header.at },
  };
  return presentEntries(found, places);
}

/** The start node; the first node written when the header does not say. */
function startOf(header: MapReader, targets: TargetResolver, ids: readonly string[]): Located<string> | null {
  const start = header.text('start', 'start_node');
  if (start !== null && targets.isEnd(start.value)) {
    header.error('starts_at_end', `the workflow starts at "${start.value}", which ends it`, start.at);
  }
  const first = start?.value ?? ids.find((id) => !targets.isEnd(id));
  return first === undefined ? null : { value: first, at: start?.at ?? header.at };
}

function nodeJson({ id, kind, node }: NodeDraft): Json {
  return { id, kind, ...node };
}
