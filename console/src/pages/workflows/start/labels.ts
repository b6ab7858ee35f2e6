/** Labels that were written as `key:value, key:value`; a value may contain a colon. */
export function readLabels(text: string): { readonly labels: Record<string, string> } | { readonly problem: string } {
  const labels: [string, string][] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf(':');
    const key = part.slice(0, Math.max(0, at)).trim();
    if (key === '') return { problem: `"${part.trim().slice(0, 100)}" is no label: write key:value` };
    labels.push([key, part.slice(at + 1).trim()]);
  }
  return { labels: Object.fromEntries(labels) };
}
