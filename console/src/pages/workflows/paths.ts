/** The page of a workflow; with a version or a revision, of that one. */
export function workflowPath(
  id: string,
  which: { readonly version?: string; readonly revision?: string; readonly tab?: string } = {},
): string {
  const search = new URLSearchParams(Object.entries(which).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return `/workflows/${encodeURIComponent(id)}${search.size === 0 ? '' : `?${search}`}`;
}
