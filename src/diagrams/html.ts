import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NodeVisit } from '../../machines/history/node-visit.ts';
import type { Diagram, DiagramNode } from '../../machines/views/diagram.ts';
import { markOf } from '../../machines/views/labels.ts';
import { oneLine } from '../../machines/views/text.ts';
import { packageFile } from '../../store/package-files.ts';
import { type PanelSection, panelSections } from './node-panel.ts';
import { type Drawing, escaped } from './svg/index.ts';
import { variables } from './svg/palette.ts';

/** Data of a node for the page's script. */
interface PageNode {
  readonly key: string;
  readonly name: string;
  readonly about: string;
  readonly sections: readonly PanelSection[];
  readonly definition: string;
}

/**
 * A self-contained page: the drawing to pan, zoom and search, and for each node its attempts and its definition. Its content security policy allows only its own
 * script and styles, so that text from the workflow cannot run as code.
 */
export function toHtml(
  diagram: Diagram,
  { svg, style }: Drawing,
  visits: ReadonlyMap<string, readonly NodeVisit[]>,
): { readonly content: string; readonly policy: string } {
  const css = `${variables(':root')}${asset('page.css')}`;
  const script = asset('page.js');
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(css)}' '${digest(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const title = escaped(oneLine(diagram.title, 120));
  const nodes = diagram.nodes.filter(({ definition }) => definition !== null).map((node) => pageNode(node, visits));
  const content = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<title>${title}</title>
<style>${css}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<label for="search">Find a node</label>
<input id="search" type="search" autocomplete="off" placeholder="/ to search">
<output id="found" for="search"></output>
<div class="buttons">
<button type="button" id="out" aria-label="Zoom out">−</button>
<button type="button" id="in" aria-label="Zoom in">+</button>
<button type="button" id="fit">Fit</button>
</div>
</header>
<main>
<div id="stage" tabindex="0" aria-label="Drawing: arrow keys move it, plus and minus zoom, 0 shows all of it">
${svg}</div>
<aside id="panel" hidden aria-label="Node">
<button type="button" id="close" aria-label="Close">×</button>
<h2 id="name"></h2>
<p id="about"></p>
<div id="sections"></div>
<h3>Definition</h3>
<pre id="definition"></pre>
</aside>
</main>
<script type="application/json" id="nodes">${scriptSafe(JSON.stringify(nodes))}</script>
<script>${script}</script>
</body>
</html>
`;
  return { content, policy: `${policy}; frame-ancestors 'none'` };
}

function pageNode(node: DiagramNode, visits: ReadonlyMap<string, readonly NodeVisit[]>): PageNode {
  const { key, name, shape, kind, detail, overlay, definition } = node;
  const about = [kind ?? shape, detail, markOf(node), overlay?.error ?? ''].filter((part) => part !== '');
  return {
    key,
    name: oneLine(name, 300),
    about: about.map((part) => oneLine(part, 500)).join(' · '),
    // States that only machines have share the visits of their node.
    sections: kind === null ? [] : panelSections(visits.get(name) ?? []),
    definition: JSON.stringify(definition, null, 2),
  };
}

/** Escapes JSON for a `<script>` element, so that no text in it can end the element. */
function scriptSafe(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function asset(name: string): string {
  return readFileSync(packageFile(`src/diagrams/assets/${name}`), 'utf8');
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
