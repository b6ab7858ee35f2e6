import type { Visit } from './messages.ts';

/** Different for different attempts of an execution. */
export function visitKey({ node, activation, attempt, item }: Visit): string {
  return `${node}\n${activation}\n${attempt}${item === undefined ? '' : `\n${item}`}`;
}
