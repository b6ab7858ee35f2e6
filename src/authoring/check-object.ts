import type { Workflow } from '../../machines/ir/workflow.ts';
import { validate } from '../../machines/validate/index.ts';
import { type AuthoredObject, objectSource } from './object-source.ts';
import { draftSource, type FileDraft, type ParsedFile, type ParsedWorkflow, toParsedFile, type WorkflowDraft } from './parse.ts';
import { requestProblems } from './request.ts';
import { type Requirement, requirementsOf } from './requirements.ts';

/** Checks a workflow file that a program has made, as `checkWorkflow` does with one that was written. */
export function checkObject(object: AuthoredObject): CheckedFile {
  return checkedFile(checkDraft(draftSource(objectSource(object))), object.functions);
}

export function checkedFile({ draft, workflows }: CheckedDraft, functions: readonly string[] = []): CheckedFile {
  const parsed = toParsedFile(draft);
  const provided = {
    functions: new Set([...Object.keys(parsed.localTools), ...functions]),
    workflows: new Set(parsed.workflows.map(({ document }) => String(document.workflow_id))),
  };
  const checked = parsed.workflows.map((unit, i) => {
    const workflow = workflows[i] ?? null;
    return { ...unit, requirements: workflow === null ? [] : requirementsOf(workflow, provided) };
  });
  return { ...parsed, workflows: checked };
}

/** A workflow file whose documents the runtime would accept, if there are no errors. */
export interface CheckedFile extends ParsedFile {
  readonly workflows: readonly CheckedWorkflow[];
}

/** A workflow of a file that was checked. */
export interface CheckedWorkflow extends ParsedWorkflow {
  /** What it needs from outside to run. */
  readonly requirements: readonly Requirement[];
}

/** A workflow of a file, with its tests. */
export interface CheckedTests {
  /** Those of the file; of several workflows, the first has them all. */
  readonly diagnostics: ParsedFile['diagnostics'];
  /** Its id when the file has several workflows; else null. */
  readonly unit: string | null;
  /** Null when there is an error. */
  readonly workflow: Workflow | null;
  readonly tests: WorkflowDraft['tests'];
  readonly locate: WorkflowDraft['locate'];
}

/** The workflows of a file that a program has made. */
export function checkObjectTests(object: AuthoredObject): readonly [CheckedTests, ...CheckedTests[]] {
  return checkedTests(checkDraft(draftSource(objectSource(object))));
}

export function checkedTests({ draft, workflows }: CheckedDraft): readonly [CheckedTests, ...CheckedTests[]] {
  const { findings, isBundle } = draft;
  const [first, ...others] = draft.workflows.map(({ document, tests, locate }, i): CheckedTests => {
    const unit = isBundle ? String(document.workflow_id) : null;
    const diagnostics = i === 0 ? findings.all : [];
    return { diagnostics, unit, workflow: findings.failed ? null : (workflows[i] ?? null), tests, locate };
  });
  if (first !== undefined) return [first, ...others];
  return [{ diagnostics: findings.all, unit: null, workflow: null, tests: [], locate: () => findings.positionOf(0) }];
}

interface CheckedDraft {
  readonly draft: FileDraft;
  readonly workflows: readonly (Workflow | null)[];
}

export function checkDraft(draft: FileDraft, place: 'folder' | 'request' = 'folder'): CheckedDraft {
  const workflows = draft.workflows.map((unit) => {
    const { workflow, diagnostics } = validate(unit.document);
    for (const diagnostic of diagnostics) unit.addDiagnostic(diagnostic);
    if (place === 'request') for (const problem of requestProblems(unit)) unit.addDiagnostic(problem);
    return workflow;
  });
  return { draft, workflows };
}
