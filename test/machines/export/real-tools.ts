import { instance } from '@viz-js/viz';
import { JSDOM } from 'jsdom';
import { createMachine } from 'xstate';
import type { JsonObject } from '../../../machines/json.ts';

let mermaid: Promise<typeof import('mermaid')['default']> | null = null;

/** What Mermaid has against a diagram; null when nothing. */
export async function mermaidProblem(text: string): Promise<string | null> {
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
export async function graphvizProblem(text: string): Promise<string | null> {
  const { status, errors } = (await graphviz).render(text, { format: 'canon' });
  // It warns that it does not know how wide some letters are.
  const problems = errors.filter(({ level }) => level !== 'warning');
  return status === 'success' && problems.length === 0 ? null : `${status}: ${problems.map(({ message }) => message).join('; ')}`;
}

/** Would XState run it? Every target must be found and every state entered. */
export function xstateProblem(config: JsonObject): string | null {
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
