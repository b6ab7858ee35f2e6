import type { YAMLMap } from 'yaml';
import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { compileAgent } from './agents/document.ts';
import { compileBundle } from './bundle.ts';
import { type AuthoringDiagnostic, type Findings, type Position, UnreadableFile } from './diagnostic.ts';
import { compileDocument } from './document.ts';
import { MapReader } from './map-reader.ts';
import { readSchedule, type Schedule } from './schedule.ts';
import type { Source } from './source.ts';
import { DocumentSourceMap, type SourceMap } from './source-map.ts';
import type { AuthoredTest } from './tests.ts';
import { type LocalTool, readTools } from './tools.ts';
import { isMap, isScalar, isSeq } from './tree.ts';
import { fieldsOf, jsonOf, resolveAliases } from './values.ts';

/** A parsed workflow file. */
export interface ParsedFile {
  /** The document to register; null when there is an error, or when the file is a bundle. */
  readonly document: JsonObject | null;
  /** The workflows of the file: one, or several in a bundle. Empty when there is an error. */
  readonly workflows: readonly ParsedWorkflow[];
  /** All problems, from the top of the file to its end. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Functions of modules that the file names (`tools: {name: {kind: function, reference: ./tools.mjs#name}}`). */
  readonly localTools: Readonly<Record<string, LocalTool>>;
}

/** A workflow of a file. */
export interface ParsedWorkflow {
  readonly document: JsonObject;
  /** When executions are to be started, if the file says so. */
  readonly schedule: Schedule | null;
}

/** A workflow of a file. */
export interface WorkflowDraft extends ParsedWorkflow {
  readonly tests: readonly AuthoredTest[];
  /** Adds a diagnostic of the document at its position in the file. */
  addDiagnostic(diagnostic: Diagnostic): void;
  /** The position of a path of the document (`nodes.review`); the top of the file when it is not written. */
  locate(path: string): Position;
}

/** A file as far as it could be read: in spite of errors there may be documents to check. */
export interface FileDraft {
  readonly workflows: readonly WorkflowDraft[];
  /** Does the file hold several workflows? */
  readonly isBundle: boolean;
  readonly findings: Findings;
  readonly localTools: ParsedFile['localTools'];
}

/** Of a workflow file: `workflow.yaml` in its accepted forms, or a document in JSON or YAML, with or without `{ir}` around it. */
export function toParsedFile({ workflows, isBundle, findings, localTools }: FileDraft): ParsedFile {
  const good = findings.failed ? [] : workflows.map(({ document, schedule }) => ({ document, schedule }));
  return { document: isBundle ? null : (good[0]?.document ?? null), workflows: good, diagnostics: findings.all, localTools };
}

export function draftSource(source: Source): FileDraft {
  const { findings } = source;
  try {
    const read = source.root === null || findings.failed ? null : readTop(source);
    if (read !== null) {
      const workflows = read.workflows.map((workflow) => ({
        ...workflow,
        addDiagnostic: diagnosticAdder(workflow.sourceMap, findings),
        locate: (path: string): Position => findings.positionOf(workflow.sourceMap.nearestOffset(path) ?? 0),
      }));
      return { ...read, workflows, findings };
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    findings.error(error.code, error.message, error.offset, { hint: error.hint });
  }
  return { workflows: [], isBundle: false, findings, localTools: {} };
}

interface ReadFile {
  readonly workflows: readonly (ParsedWorkflow & { readonly sourceMap: SourceMap; readonly tests: readonly AuthoredTest[] })[];
  readonly isBundle: boolean;
  readonly localTools: ParsedFile['localTools'];
}

function readTop(source: Source): ReadFile | null {
  const root = source.root;
  if (!isMap(root)) {
    source.findings.error('not_a_workflow', 'the file is not a map of keys', 0, {
      hint: 'a workflow file has "workflow:" and "nodes:"',
    });
    return null;
  }
  const top = new MapReader(root, 0, 'the file', source);
  if (top.has('ir') || (top.has('workflow_id') && !hasAuthoredNodes(root, source))) return readDocumentFile(top, root, source);
  if (top.has('workflows') || top.has('agents')) return readBundle(top);
  const agent = top.map('the agent', 'agent');
  if (agent === null && top.has('agent')) return null;
  const schedule = readSchedule(top);
  const compiled = agent === null ? compileDocument(top) : compileAgent(top, agent);
  if (compiled === null) return null;
  const { document, sourceMap, localTools, tests } = compiled;
  return { workflows: [{ document, sourceMap, tests, schedule }], isBundle: false, localTools };
}

/** Do the nodes name their kind by a text, as in workflow files, and not by an object, as in documents? */
function hasAuthoredNodes(root: YAMLMap, source: Source): boolean {
  const nodes = fieldsOf(root, source).get('nodes')?.value;
  const items = isMap(nodes) ? [...fieldsOf(nodes, source).values()].map(({ value }) => value) : isSeq(nodes) ? nodes.items : [];
  return items.some((item) => {
    const node = resolveAliases(item, source);
    if (!isMap(node)) return false;
    const fields = fieldsOf(node, source);
    return isScalar(fields.get('type')?.value) || isScalar(fields.get('kind')?.value);
  });
}

function readBundle(top: MapReader): ReadFile {
  const compiled = compileBundle(top);
  const workflows = compiled.map(({ document, sourceMap, tests, schedule }) => ({ document, sourceMap, tests, schedule }));
  return {
    workflows,
    isBundle: true,
    localTools: Object.assign({}, ...compiled.map(({ localTools }) => localTools)),
  };
}

/** Reads a file that is the document itself. Function tools are removed from it, because a document may not name files. */
function readDocumentFile(top: MapReader, root: unknown, source: Source): ReadFile | null {
  const wrapper = top.map('ir', 'ir');
  if (wrapper === null && top.has('ir')) return null;
  if (wrapper !== null) top.warnAboutUnread();
  const ir = wrapper ?? top;
  const document: Record<string, Json> = Object.fromEntries(ir.fields.map(({ key, value }) => [key, jsonOf(value, source)]));
  const tools = ir.map('tools', 'tools');
  const { catalog, local: localTools } = readTools(tools);
  if (tools !== null) document.tools = catalog;
  const holder = wrapper === null ? root : top.find('ir')?.value;
  const workflow = { document, sourceMap: new DocumentSourceMap(holder, source), tests: [], schedule: null };
  return { workflows: [workflow], isBundle: false, localTools };
}

/** Warnings that may be due to what a document lacks because of an error elsewhere. */
const MAY_FOLLOW: ReadonlySet<string> = new Set([
  'unreachable_node',
  'join_never_runs',
  'condition_without_default',
  'unknown_variable',
  'unknown_retry_policy',
  'unusable_tool',
  'no_budget',
]);

function diagnosticAdder(sourceMap: SourceMap, findings: Findings): WorkflowDraft['addDiagnostic'] {
  // Problems of places that have an error already, and some warnings of an incomplete document, only follow from the first error.
  const failedPlaces = findings.failedPlaces;
  return ({ severity, code, message, ...context }) => {
    const paths = [context.path, context.node_id === null ? null : `nodes.${context.node_id}`];
    const [at = 0] = paths.flatMap((path) => (path === null ? [] : (sourceMap.nearestOffset(path) ?? [])));
    if (failedPlaces.has(findings.placeOf(at))) return;
    if (severity === 'error') findings.error(code, message, at, context);
    else if (failedPlaces.size === 0 || !MAY_FOLLOW.has(code)) findings.warning(code, message, at, context);
  };
}
