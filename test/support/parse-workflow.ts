import { draftFile, type ParsedFile, toParsedFile } from '../../src/authoring/parse.ts';

/** Compiles a workflow file without checking its documents. */
export function parseWorkflow(text: string, file: string): ParsedFile {
  return toParsedFile(draftFile(text, file));
}
