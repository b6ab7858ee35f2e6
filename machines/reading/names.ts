import { MAX_NAME_LENGTH } from '../limits.ts';

/** Names that are not safe as keys of JavaScript objects. */
const RESERVED = new Set(['__proto__', 'prototype', 'constructor']);

/** The problem with the name of a workflow, a node or a state key; null = none. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'must not be empty';
  if (name.length > MAX_NAME_LENGTH) return `must have at most ${MAX_NAME_LENGTH} characters`;
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters';
  if (RESERVED.has(name)) return `must not be "${name}", which is reserved`;
  return null;
}

/** The problem with a node id: that of a name, or that it is the target `end`. */
export function nodeIdProblem(id: string): string | null {
  return id === 'end' ? 'must not be "end", which is the target that ends a branch' : nameProblem(id);
}
