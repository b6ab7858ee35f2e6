import { type Authored, authoredOf } from '../../src/builder/definition.ts';

/** The file that a definition stands for. */
export function authoredBy(definition: object): Authored {
  const authored = authoredOf(definition);
  if (authored === null) throw new TypeError('not a definition');
  return authored;
}
