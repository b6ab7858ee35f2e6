import type { Workflow } from '../../machines/ir/workflow.ts';
import { validate } from '../../machines/validate/index.ts';
import { draftFile, type FileDraft, type ParsedFile, toParsedFile } from './parse.ts';

/**
 * Parses a workflow file (YAML) and validates the workflow as the runtime would. Never throws: `diagnostics` lists every problem with its line
 * and column, and `document` is null if there is an error.
 *
 * @example
 * const { document, diagnostics } = checkWorkflow(readFileSync('workflow.yaml', 'utf8'), 'workflow.yaml');
 * for (const { line, column, message } of diagnostics) console.error(`${line}:${column} ${message}`);
 * if (document !== null) await runtime.register(caller, document);
 */
export function checkWorkflow(text: string, file: string): ParsedFile {
  return toParsedFile(checkFile(text, file).draft);
}

/** A workflow file with its tests. */
export interface CheckedTests {
  readonly file: ParsedFile;
  /** Null when there is an error. */
  readonly workflow: Workflow | null;
  readonly tests: FileDraft['tests'];
  readonly locate: FileDraft['locate'];
}

export function checkTests(text: string, file: string): CheckedTests {
  const { draft, workflow } = checkFile(text, file);
  const { findings, tests, locate, isBundle } = draft;
  if (isBundle)
    findings.error('several_workflows', 'the file has several workflows: tests belong in a file with one workflow', 0);
  return { file: toParsedFile(draft), workflow: findings.failed ? null : workflow, tests, locate };
}

function checkFile(text: string, file: string): { readonly draft: FileDraft; readonly workflow: Workflow | null } {
  const draft = draftFile(text, file);
  const workflows = draft.workflows.map(({ document, addDiagnostic }) => {
    const { workflow, diagnostics } = validate(document);
    for (const diagnostic of diagnostics) addDiagnostic(diagnostic);
    return workflow;
  });
  return { draft, workflow: draft.isBundle ? null : (workflows[0] ?? null) };
}
