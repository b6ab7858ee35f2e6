import type { Workflow } from '../../machines/ir/workflow.ts';
import { validate } from '../../machines/validate.ts';
import { type Authored, authored, type Draft, draftOf } from './parse.ts';

/** Compiles a workflow file and checks the workflow as the runtime would: every problem of both, each at its place. */
export function checkWorkflow(text: string, file: string): Authored {
  return authored(checked(text, file).draft);
}

/** A workflow file with its tests. */
export interface Testable {
  readonly authored: Authored;
  /** Null when an error was found. */
  readonly workflow: Workflow | null;
  readonly tests: Draft['tests'];
  readonly locate: Draft['locate'];
}

export function checkTests(text: string, file: string): Testable {
  const { draft, workflow } = checked(text, file);
  const { findings, tests, locate, fleet } = draft;
  if (fleet) findings.error('several_workflows', 'the file holds several workflows: tests belong to a file with one', 0);
  return { authored: authored(draft), workflow: findings.failed ? null : workflow, tests, locate };
}

function checked(text: string, file: string): { readonly draft: Draft; readonly workflow: Workflow | null } {
  const draft = draftOf(text, file);
  const workflows = draft.units.map((unit) => {
    const { workflow, diagnostics } = validate(unit.document);
    for (const diagnostic of diagnostics) unit.note(diagnostic);
    return workflow;
  });
  return { draft, workflow: draft.fleet ? null : (workflows[0] ?? null) };
}
