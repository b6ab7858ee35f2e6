import { validate } from '../../machines/validate.ts';
import { type Authored, authored, draftOf } from './parse.ts';

/** Compiles a workflow file and checks the workflow as the runtime would: every problem of both, each at its place. */
export function checkWorkflow(text: string, file: string): Authored {
  const draft = draftOf(text, file);
  if (draft.document !== null) for (const diagnostic of validate(draft.document).diagnostics) draft.note(diagnostic);
  return authored(draft);
}
