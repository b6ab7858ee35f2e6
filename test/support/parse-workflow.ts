import { draftSource, type ParsedFile, toParsedFile } from '../../src/authoring/parse.ts';
import { readYaml } from '../../src/authoring/read-yaml.ts';

/** Compiles a workflow file without checking its documents. */
export function parseWorkflow(text: string, file: string): ParsedFile {
  return toParsedFile(draftSource(readYaml(text, file)));
}
