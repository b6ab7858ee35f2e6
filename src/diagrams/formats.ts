/** Output formats of diagrams. */
export const FORMATS = ['mermaid', 'dot', 'svg', 'png', 'xstate', 'html'] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  mermaid: 'text/vnd.mermaid; charset=utf-8',
  dot: 'text/vnd.graphviz; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  xstate: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

/** Formats by file name suffix. */
export const SUFFIXES: Readonly<Record<string, Format>> = {
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.dot': 'dot',
  '.gv': 'dot',
  '.svg': 'svg',
  '.png': 'png',
  '.json': 'xstate',
  '.html': 'html',
  '.htm': 'html',
};

/** The format for a file name; null if its suffix is unknown. */
export function formatOfFile(name: string): Format | null {
  const suffix = /\.[a-z]+$/i.exec(name)?.[0].toLowerCase() ?? '';
  return Object.hasOwn(SUFFIXES, suffix) ? (SUFFIXES[suffix] ?? null) : null;
}
