import { stringify } from 'yaml';
import type { Json } from '../../machines/json.ts';

/** A document as YAML, which `jamjet run` and the other commands read like the file it was compiled from. */
export function toYaml(document: Json): string {
  return stringify(document, { lineWidth: 100, aliasDuplicateObjects: false });
}
