import { isMap } from 'yaml';
import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { type AuthoringDiagnostic, type Findings, type Position, Unreadable } from './diagnostic.ts';
import { compileDocument } from './document.ts';
import { compileFleet, type Schedule } from './fleet.ts';
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
  /** The workflows of the file: one, or the units of a fleet, which has no `document`. None when an error was found. */
  readonly units: readonly AuthoredUnit[];
  /** What was found, from the top of the file to its end. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Functions the file brings along (`tools: {name: {kind: function, reference: ./tools.mjs#name}}`). */
  readonly localTools: Readonly<Record<string, LocalTool>>;
}

export interface AuthoredUnit {
  readonly document: JsonObject;
  /** When it is to be started, if the file says so. */
  readonly schedule: Schedule | null;
}

/** A workflow of a file. */
interface DraftUnit extends AuthoredUnit {
  /** Notes a diagnostic of the document at its place in the file. */
  note(diagnostic: Diagnostic): void;
}

/** A file as far as it could be read: there may be documents to check although errors were found. */
export interface Draft {
  readonly units: readonly DraftUnit[];
  /** Are the units those of a fleet? */
  readonly fleet: boolean;
  readonly findings: Findings;
  readonly localTools: Authored['localTools'];
  readonly tests: readonly AuthoredTest[];
  /** Where a path of the document (`nodes.review`) is written; the top of the file when it is not. */
  locate(path: string): Position;
}

/** Compiles a workflow file: `workflow.yaml` in its dialects, or a document in JSON or YAML, with or without `{ir}` around it. */
export function parseWorkflow(text: string, file: string): Authored {
  const draft = draftOf(text, file);
  return authored(draft);
}

export function authored({ units, fleet, findings, localTools }: Draft): Authored {
  const good = findings.failed ? [] : units.map(({ document, schedule }) => ({ document, schedule }));
  return { document: fleet ? null : (good[0]?.document ?? null), units: good, diagnostics: findings.all, localTools };
}

export function draftOf(text: string, file: string): Draft {
  const source = readSource(text, file);
  const { findings } = source;
  try {
    const read = source.root === null || findings.failed ? null : readTop(source);
    if (read !== null) {
      const [only] = read.units;
      const locate = (path: string): Position => findings.placeOf(only?.places.nearest(path) ?? 0);
      const units = read.units.map((unit) => ({ ...unit, note: noter(unit.places, findings) }));
      return { ...read, units, findings, locate };
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    findings.error(error.code, error.message, error.at, { hint: error.hint });
  }
  const locate = (): Position => findings.placeOf(0);
  return { units: [], fleet: false, findings, localTools: {}, tests: [], locate };
}

interface Read {
  readonly units: readonly (AuthoredUnit & { readonly places: Places })[];
  readonly fleet: boolean;
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
  if (top.has('workflows') || top.has('agents')) return readFleet(top);
  const unavailable = top.fields.find(({ key }) => key === 'agent');
  if (unavailable !== undefined) {
    top.error(
      'not_available',
      '"agent:" (agent mode) is not available in this runtime yet',
      unavailable.keyAt,
      'write the workflow as "workflow:" and "nodes:"',
    );
    return null;
  }
  const compiled = compileDocument(top);
  if (compiled === null) return null;
  const { document, places, local, tests } = compiled;
  return { units: [{ document, places, schedule: null }], fleet: false, localTools: local, tests };
}

function readFleet(top: Section): Read {
  const compiled = compileFleet(top);
  const units = compiled.map(({ document, places, schedule }) => ({ document, places, schedule }));
  return { units, fleet: true, localTools: Object.assign({}, ...compiled.map(({ local }) => local)), tests: [] };
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
  const unit = { document, places: new SamePlaces(holder, source), schedule: null };
  return { units: [unit], fleet: false, localTools: local, tests: [] };
}

function noter(places: Places, findings: Findings): DraftUnit['note'] {
  // Where the file itself is wrong already, what follows from it is noise: errors of the same line, and every warning,
  // since the document lacks what could not be read.
  const noisy = findings.failedLines;
  return ({ severity, code, message, ...context }) => {
    const paths = [context.path, context.node_id === null ? null : `nodes.${context.node_id}`];
    const [at = 0] = paths.flatMap((path) => (path === null ? [] : (places.nearest(path) ?? [])));
    if (severity === 'warning') {
      if (noisy.size === 0) findings.warning(code, message, at, context);
    } else if (!noisy.has(findings.lineOf(at))) findings.error(code, message, at, context);
  };
}
