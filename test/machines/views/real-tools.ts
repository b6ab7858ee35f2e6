import { instance } from '@viz-js/viz';
import { JSDOM } from 'jsdom';
import { createMachine } from 'xstate';
import type { JsonObject } from '../../../machines/json.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { DrawnExecution } from '../../../machines/views/diagram.ts';
import { toDot } from '../../../machines/views/dot.ts';
import { machineDiagram } from '../../../machines/views/machine-diagram.ts';
import { toMermaid } from '../../../machines/views/mermaid.ts';
import { workflowDiagram } from '../../../machines/views/workflow-diagram.ts';
import { toXState } from '../../../machines/views/xstate.ts';

/** What the real tools have against the exports of a machine, by format. */
export async function problems(program: Program, execution: DrawnExecution | null): Promise<Readonly<Record<string, string>>> {
  const diagrams = { workflow: workflowDiagram(program, execution), machine: machineDiagram(program, execution) };
  const found = await Promise.all(
    Object.entries(diagrams).flatMap(([view, diagram]) => [
      mermaidProblem(toMermaid(diagram)).then((problem) => [`${view} as mermaid`, problem] as const),
      graphvizProblem(toDot(diagram)).then((problem) => [`${view} as dot`, problem] as const),
    ]),
  );
  const asXState = ['xstate', xstateProblem(JSON.parse(JSON.stringify(toXState(program, execution?.overlay ?? null))))] as const;
  return Object.fromEntries([...found, asXState].flatMap(([format, problem]) => (problem === null ? [] : [[format, problem]])));
}

let mermaid: Promise<typeof import('mermaid')['default']> | null = null;

/** What Mermaid has against a diagram; null when nothing. */
async function mermaidProblem(text: string): Promise<string | null> {
  mermaid ??= loadMermaid();
  const { parse } = await mermaid;
  return parse(text).then(
    () => null,
    (error: unknown) => String(error),
  );
}

/** It looks for a window when it is loaded, and only then: other tests of the process are to find none. */
async function loadMermaid(): Promise<typeof import('mermaid')['default']> {
  const { window } = new JSDOM('');
  const globals = { window, document: window.document };
  Object.assign(globalThis, globals);
  try {
    const { default: loaded } = await import('mermaid');
    // The diagrams themselves are loaded by the first of their kind.
    await loaded.parse('flowchart TD\n  a --> b');
    await loaded.parse('stateDiagram-v2\n  a --> b');
    return loaded;
  } finally {
    for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name);
  }
}

const graphviz = instance();

/** What Graphviz has against a graph; null when nothing. */
async function graphvizProblem(text: string): Promise<string | null> {
  const { status, errors } = (await graphviz).render(text, { format: 'canon' });
  // It warns that it does not know how wide some letters are.
  const problems = errors.filter(({ level }) => level !== 'warning');
  return status === 'success' && problems.length === 0 ? null : `${status}: ${problems.map(({ message }) => message).join('; ')}`;
}

/** Would XState run it? Every target must be found and every state entered. */
function xstateProblem(config: JsonObject): string | null {
  try {
    const machine = createMachine(config as unknown as Parameters<typeof createMachine>[0]);
    // Targets are only looked up when transitions are asked for.
    const walk = (states: typeof machine.states): void => {
      for (const state of Object.values(states)) {
        void state.transitions;
        walk(state.states);
      }
    };
    walk(machine.states);
    return null;
  } catch (error) {
    return String(error);
  }
}
