import { compileDocument } from '../../machines/compile-document.ts';
import type { NodeVisit } from '../../machines/history/node-visit.ts';
import type { Program } from '../../machines/step/program.ts';
import { authoredDiagram, authoredMachineIn } from '../../machines/views/authored-diagram.ts';
import type { DrawnExecution, View } from '../../machines/views/diagram.ts';
import { toDot } from '../../machines/views/dot.ts';
import { machineDiagram } from '../../machines/views/machine-diagram.ts';
import { toMermaid } from '../../machines/views/mermaid.ts';
import { workflowDiagram } from '../../machines/views/workflow-diagram.ts';
import { toXState } from '../../machines/views/xstate.ts';
import type { Format } from './formats.ts';

/** Content security policy of an SVG: inline styles only. */
const SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export interface DrawOptions {
  readonly format: Format;
  /** The format `xstate` always shows the machine. A workflow that is a state machine of its author is drawn as that in both views. */
  readonly view: View;
  /** The execution whose progress is shown; null = the workflow alone. */
  readonly execution: DrawnExecution | null;
  /** The visits to its nodes, for a page. */
  readonly visits?: ReadonlyMap<string, readonly NodeVisit[]>;
}

export interface DrawnFile {
  readonly content: string | Uint8Array;
  /** Content security policy for browsers; null = not needed for the format. */
  readonly policy: string | null;
  /** Characters that no available font has. */
  readonly unreadable: readonly string[];
}

/** Compiles a workflow document and draws it. Rejects with `InvalidWorkflow` or `DiagramError`. */
export async function drawDocument(document: unknown, options: DrawOptions): Promise<DrawnFile> {
  return draw(compileDocument(document), options);
}

/** Draws a program as a file of the given format. Rejects with `DiagramError` if it cannot be drawn. */
export async function draw(program: Program, { format, view, execution, visits = new Map() }: DrawOptions): Promise<DrawnFile> {
  const authored = authoredMachineIn(program);
  if (format === 'xstate') {
    const config = authored?.config ?? toXState(program, execution?.overlay ?? null);
    return plain(`${JSON.stringify(config, null, 2)}\n`);
  }
  const diagram =
    authored !== null
      ? authoredDiagram(program, authored, execution)
      : view === 'machine'
        ? machineDiagram(program, execution)
        : workflowDiagram(program, execution);
  switch (format) {
    case 'mermaid':
      return plain(toMermaid(diagram));
    case 'dot':
      return plain(toDot(diagram));
    case 'svg': {
      const { drawSvg } = await import('./svg/index.ts');
      return { ...plain((await drawSvg(diagram, 'adaptive')).svg), policy: SVG_POLICY };
    }
    case 'png': {
      const [{ drawSvg }, { toPng }] = await Promise.all([import('./svg/index.ts'), import('./png.ts')]);
      const { png, unreadable } = await toPng(await drawSvg(diagram, 'fixed'));
      return { ...plain(png), unreadable };
    }
    case 'html': {
      const [{ drawSvg }, { toHtml }] = await Promise.all([import('./svg/index.ts'), import('./html.ts')]);
      return { ...toHtml(diagram, await drawSvg(diagram, 'adaptive'), visits), unreadable: [] };
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
