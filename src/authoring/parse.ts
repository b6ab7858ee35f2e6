import { isMap } from 'yaml';
import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { type AuthoringDiagnostic, type Findings, type Position, Unreadable } from './diagnostic.ts';
import { compileDocument } from './document.ts';
import { type Places, SamePlaces } from './places.ts';
import { Section } from './section.ts';
import { readSource, type Source } from './source.ts';
import type { AuthoredTest } from './tests.ts';
import { type LocalTool, readTools } from './tools.ts';
import { jsonOf } from './values.ts';

/** A workflow file, read. */
export interface Authored {
  /** The document a runtime takes; null when an error was found. */
  readonly document: JsonObject | null;
  /** What was found, from the top of the file to its end. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Functions the file brings along (`tools: {name: {kind: function, reference: ./tools.mjs#name}}`). */
  readonly localTools: Readonly<Record<string, LocalTool>>;
}

/** A file as far as it could be read: there may be a document to check although errors were found. */
export interface Draft {
  readonly document: JsonObject | null;
  readonly findings: Findings;
  readonly localTools: Authored['localTools'];
  readonly tests: readonly AuthoredTest[];
  /** Where a path of the document (`nodes.review`) is written; the top of the file when it is not. */
  locate(path: string): Position;
  /** Notes a diagnostic of the document at its place in the file. */
  note(diagnostic: Diagnostic): void;
}

/** Compiles a workflow file: `workflow.yaml` in its dialects, or a document in JSON or YAML, with or without `{ir}` around it. */
export function parseWorkflow(text: string, file: string): Authored {
  const draft = draftOf(text, file);
  return authored(draft);
}

export function authored({ document, findings, localTools }: Draft): Authored {
  return { document: findings.failed ? null : document, diagnostics: findings.all, localTools };
}

export function draftOf(text: string, file: string): Draft {
  const source = readSource(text, file);
  const { findings } = source;
  try {
    const read = source.root === null || findings.failed ? null : readTop(source);
    if (read !== null) {
      const locate = (path: string): Position => findings.placeOf(read.places.nearest(path) ?? 0);
      return { ...read, findings, locate, note: noter(read.places, findings) };
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    findings.error(error.code, error.message, error.at, { hint: error.hint });
  }
  const locate = (): Position => findings.placeOf(0);
  return { document: null, findings, localTools: {}, tests: [], locate, note: noter(null, findings) };
}

interface Read {
  readonly document: JsonObject;
  readonly places: Places;
  readonly localTools: Authored['localTools'];
  readonly tests: Draft['tests'];
}

function readTop(source: Source): Read | null {
  const root = source.root;
  if (!isMap(root)) {
    source.findings.error('not_a_workflow', 'the file is not a map of keys', 0, {
      hint: 'a workflow file has "workflow:" and "nodes:"',
    });
    return null;
  }
  const top = new Section(root, 0, 'the file', source);
  if (top.has('ir') || top.has('workflow_id')) return readIr(top, root, source);
  const unavailable = top.fields.find(({ key }) => ['agent', 'agents', 'workflows'].includes(key));
  if (unavailable !== undefined) {
    const mode = unavailable.key === 'agent' ? 'agent mode' : 'fleet mode';
    top.error(
      'not_available',
      `"${unavailable.key}:" (${mode}) is not available in this runtime yet`,
      unavailable.keyAt,
      'write the workflow as "workflow:" and "nodes:"',
    );
    return null;
  }
  const compiled = compileDocument(top);
  if (compiled === null) return null;
  const { document, places, local, tests } = compiled;
  return { document, places, localTools: local, tests };
}

/** A file that holds the document itself. Only its function tools are taken out: a document may not name a file to load. */
function readIr(top: Section, root: unknown, source: Source): Read | null {
  const wrapper = top.section('ir', 'ir');
  if (wrapper === null && top.has('ir')) return null;
  if (wrapper !== null) top.finish();
  const ir = wrapper ?? top;
  const document: Record<string, Json> = Object.fromEntries(ir.fields.map(({ key, value }) => [key, jsonOf(value, source)]));
  const tools = ir.section('tools', 'tools');
  const { catalog, local } = readTools(tools);
  if (tools !== null) document.tools = catalog;
  const holder = wrapper === null ? root : top.find('ir')?.value;
  return { document, places: new SamePlaces(holder, source), localTools: local, tests: [] };
}

function noter(places: Places | null, findings: Findings): Draft['note'] {
  // Where the file itself is wrong already, what follows from it is noise: errors of the same line, and every warning,
  // since the document lacks what could not be read.
  const noisy = findings.failedLines;
  return ({ severity, code, message, ...context }) => {
    const paths = [context.path, context.node_id === null ? null : `nodes.${context.node_id}`];
    const [at = 0] = paths.flatMap((path) => (path === null ? [] : (places?.nearest(path) ?? [])));
    if (severity === 'warning') {
      if (noisy.size === 0) findings.warning(code, message, at, context);
    } else if (!noisy.has(findings.lineOf(at))) findings.error(code, message, at, context);
  };
}
