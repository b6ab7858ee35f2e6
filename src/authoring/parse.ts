import { isMap } from 'yaml';
import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { compileBundle, type Schedule } from './bundle.ts';
import { type AuthoringDiagnostic, type Findings, type Position, UnreadableFile } from './diagnostic.ts';
import { compileDocument } from './document.ts';
import { MapReader } from './map-reader.ts';
import { readSource, type Source } from './source.ts';
import { DocumentSourceMap, type SourceMap } from './source-map.ts';
import type { AuthoredTest } from './tests.ts';
import { type LocalTool, readTools } from './tools.ts';
import { jsonOf } from './values.ts';

/** A workflow file, read. */
export interface ParsedFile {
  /** The document a runtime takes; null when an error was found. */
  readonly document: JsonObject | null;
  /** The workflows of the file: one, or the units of a fleet, which has no `document`. None when an error was found. */
  readonly workflows: readonly ParsedWorkflow[];
  /** What was found, from the top of the file to its end. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Functions the file brings along (`tools: {name: {kind: function, reference: ./tools.mjs#name}}`). */
  readonly localTools: Readonly<Record<string, LocalTool>>;
}

export interface ParsedWorkflow {
  readonly document: JsonObject;
  /** When it is to be started, if the file says so. */
  readonly schedule: Schedule | null;
}

/** A workflow of a file. */
interface WorkflowDraft extends ParsedWorkflow {
  /** Notes a diagnostic of the document at its place in the file. */
  note(diagnostic: Diagnostic): void;
}

/** A file as far as it could be read: there may be documents to check although errors were found. */
export interface FileDraft {
  readonly workflows: readonly WorkflowDraft[];
  /** Are the units those of a fleet? */
  readonly isBundle: boolean;
  readonly findings: Findings;
  readonly localTools: ParsedFile['localTools'];
  readonly tests: readonly AuthoredTest[];
  /** Where a path of the document (`nodes.review`) is written; the top of the file when it is not. */
  locate(path: string): Position;
}

/** Compiles a workflow file: `workflow.yaml` in its dialects, or a document in JSON or YAML, with or without `{ir}` around it. */
export function parseWorkflow(text: string, file: string): ParsedFile {
  const draft = draftFile(text, file);
  return toParsedFile(draft);
}

export function toParsedFile({ workflows: units, isBundle: fleet, findings, localTools }: FileDraft): ParsedFile {
  const good = findings.failed ? [] : units.map(({ document, schedule }) => ({ document, schedule }));
  return { document: fleet ? null : (good[0]?.document ?? null), workflows: good, diagnostics: findings.all, localTools };
}

export function draftFile(text: string, file: string): FileDraft {
  const source = readSource(text, file);
  const { findings } = source;
  try {
    const read = source.root === null || findings.failed ? null : readTop(source);
    if (read !== null) {
      const [only] = read.workflows;
      const locate = (path: string): Position => findings.positionOf(only?.places.nearestOffset(path) ?? 0);
      const units = read.workflows.map((unit) => ({ ...unit, note: diagnosticAdder(unit.places, findings) }));
      return { ...read, workflows: units, findings, locate };
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    findings.error(error.code, error.message, error.at, { hint: error.hint });
  }
  const locate = (): Position => findings.positionOf(0);
  return { workflows: [], isBundle: false, findings, localTools: {}, tests: [], locate };
}

interface ReadFile {
  readonly workflows: readonly (ParsedWorkflow & { readonly places: SourceMap })[];
  readonly isBundle: boolean;
  readonly localTools: ParsedFile['localTools'];
  readonly tests: FileDraft['tests'];
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
  if (top.has('ir') || top.has('workflow_id')) return readDocumentFile(top, root, source);
  if (top.has('workflows') || top.has('agents')) return readBundle(top);
  const unavailable = top.fields.find(({ key }) => key === 'agent');
  if (unavailable !== undefined) {
    top.error(
      'not_available',
      '"agent:" (agent mode) is not available in this runtime yet',
      unavailable.keyOffset,
      'write the workflow as "workflow:" and "nodes:"',
    );
    return null;
  }
  const compiled = compileDocument(top);
  if (compiled === null) return null;
  const { document, places, local, tests } = compiled;
  return { workflows: [{ document, places, schedule: null }], isBundle: false, localTools: local, tests };
}

function readBundle(top: MapReader): ReadFile {
  const compiled = compileBundle(top);
  const units = compiled.map(({ document, places, schedule }) => ({ document, places, schedule }));
  return { workflows: units, isBundle: true, localTools: Object.assign({}, ...compiled.map(({ local }) => local)), tests: [] };
}

/** A file that holds the document itself. Only its function tools are taken out: a document may not name a file to load. */
function readDocumentFile(top: MapReader, root: unknown, source: Source): ReadFile | null {
  const wrapper = top.map('ir', 'ir');
  if (wrapper === null && top.has('ir')) return null;
  if (wrapper !== null) top.warnOfUnread();
  const ir = wrapper ?? top;
  const document: Record<string, Json> = Object.fromEntries(ir.fields.map(({ key, value }) => [key, jsonOf(value, source)]));
  const tools = ir.map('tools', 'tools');
  const { catalog, local } = readTools(tools);
  if (tools !== null) document.tools = catalog;
  const holder = wrapper === null ? root : top.find('ir')?.value;
  const unit = { document, places: new DocumentSourceMap(holder, source), schedule: null };
  return { workflows: [unit], isBundle: false, localTools: local, tests: [] };
}

function diagnosticAdder(places: SourceMap, findings: Findings): WorkflowDraft['note'] {
  // Where the file itself is wrong already, what follows from it is noise: errors of the same line, and every warning,
  // since the document lacks what could not be read.
  const noisy = findings.failedLines;
  return ({ severity, code, message, ...context }) => {
    const paths = [context.path, context.node_id === null ? null : `nodes.${context.node_id}`];
    const [at = 0] = paths.flatMap((path) => (path === null ? [] : (places.nearestOffset(path) ?? [])));
    if (severity === 'warning') {
      if (noisy.size === 0) findings.warning(code, message, at, context);
    } else if (!noisy.has(findings.lineOf(at))) findings.error(code, message, at, context);
  };
}
