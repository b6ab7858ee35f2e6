import { type CheckedFile, type CheckedTests, checkDraft, checkedFile, checkedTests } from './check-object.ts';
import { draftSource } from './parse.ts';
import { readYaml } from './read-yaml.ts';

/**
 * Parses a workflow file (YAML) and validates the workflow as the runtime would. Never throws: `diagnostics` lists every problem with its line
 * and column, and `document` is null if there is an error.
 *
 * `place`: `request` = the text arrived without its folder, so that it must name no files.
 *
 * @example
 * const { document, diagnostics } = checkWorkflow(readFileSync('workflow.yaml', 'utf8'), 'workflow.yaml');
 * for (const { line, column, message } of diagnostics) console.error(`${line}:${column} ${message}`);
 * if (document !== null) await runtime.register(caller, document);
 */
export function checkWorkflow(text: string, file: string, place: 'folder' | 'request' = 'folder'): CheckedFile {
  return checkedFile(checkDraft(draftSource(readYaml(text, file)), place));
}

/** The workflows of a file, at least one: a file without any has errors. */
export function checkTests(text: string, file: string): readonly [CheckedTests, ...CheckedTests[]] {
  return checkedTests(checkDraft(draftSource(readYaml(text, file))));
}
