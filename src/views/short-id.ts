const DIGITS = 8;

/**
 * The end of an execution's id, which searches and commands accept in its place. Ids begin with a time, so their beginnings are alike.
 */
export function shortId(id: string): string {
  return id.slice(-DIGITS);
}
