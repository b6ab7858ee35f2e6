import { compile, type Program } from '../../machines/compile/index.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { revisionOf } from '../../machines/revision.ts';
import type { View } from '../../machines/views/diagram.ts';
import { toDot } from '../../machines/views/dot.ts';
import type { ExecutionOverlay } from '../../machines/views/execution-overlay.ts';
import { machineDiagram } from '../../machines/views/machine-diagram.ts';
import { toMermaid } from '../../machines/views/mermaid.ts';
import { workflowDiagram } from '../../machines/views/workflow-diagram.ts';
import { toXState } from '../../machines/views/xstate.ts';
import type { Format } from './formats.ts';

/** A drawing has styles of its own, and nothing else. */
const SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The machine of a document, in any accepted spelling. Throws `InvalidWorkflow`. */
export function programOf(document: unknown): Program {
  const { workflow } = normalise(document);
  return compile(workflow, revisionOf(workflow));
}

export interface DrawOptions {
  readonly format: Format;
  /** `xstate` is of the machine whatever is wanted. */
  readonly view: View;
  /** What an execution has made of it; null = the workflow alone. */
  readonly marks: ExecutionOverlay | null;
}

export interface DrawnFile {
  readonly content: string | Uint8Array;
  /** What a browser may let it do; null = it does nothing. */
  readonly policy: string | null;
  /** Characters that could not be drawn: no font has them. */
  readonly unreadable: readonly string[];
}

/** A picture as a file of its format. Rejects with `PictureError` when it cannot be drawn. */
export async function draw(program: Program, { format, view, marks }: DrawOptions): Promise<DrawnFile> {
  if (format === 'xstate') return plain(`${JSON.stringify(toXState(program, marks), null, 2)}\n`);
  const picture = view === 'machine' ? machineDiagram(program, marks) : workflowDiagram(program, marks);
  switch (format) {
    case 'mermaid':
      return plain(toMermaid(picture));
    case 'dot':
      return plain(toDot(picture));
    case 'svg': {
      const { drawSvg } = await import('./svg.ts');
      return { ...plain((await drawSvg(picture, 'adaptive')).svg), policy: SVG_POLICY };
    }
    case 'png': {
      const [{ drawSvg }, { toPng }] = await Promise.all([import('./svg.ts'), import('./png.ts')]);
      const { png, unreadable } = await toPng(await drawSvg(picture, 'fixed'));
      return { ...plain(png), unreadable };
    }
    case 'html': {
      const [{ drawSvg }, { toHtml }] = await Promise.all([import('./svg.ts'), import('./html.ts')]);
      return { ...toHtml(picture, await drawSvg(picture, 'adaptive')), unreadable: [] };
    }
    default: {
      const unhandled: never = format;
      throw new TypeError(`unhandled format ${JSON.stringify(unhandled)}`);
    }
  }
}

function plain(content: string | Uint8Array): DrawnFile {
  return { content, policy: null, unreadable: [] };
}
