import { MAX_NAME_LENGTH } from '../../limits.ts';

/** Names that would touch JavaScript's own machinery if an object had them as keys. */
const RESERVED = new Set(['__proto__', 'prototype', 'constructor']);

/** What is wrong with the name of a workflow, a node or a state key; null = nothing. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'must not be empty';
  if (name.length > MAX_NAME_LENGTH) return `must have at most ${MAX_NAME_LENGTH} characters`;
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters';
  if (RESERVED.has(name)) return `must not be "${name}", which is reserved`;
  return null;
}

/** Node ids are names, except the target every workflow has. */
export function nodeIdProblem(id: string): string | null {
  return id === 'end' ? 'must not be "end", which is the target that ends a branch' : nameProblem(id);
}
