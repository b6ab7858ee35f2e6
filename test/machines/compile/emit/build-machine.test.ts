import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateNode, createMachine } from 'xstate';
import { compile, compileCooperatively } from '../../../../machines/compile/index.ts';
import { normalise } from '../../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Program } from '../../../../machines/step/program.ts';
import { document as documentOf, documents, tool } from '../../../support/workflows.ts';

function programOf(document: unknown): Program | null {
  try {
    return compile(normalise(document).workflow, 'r');
  } catch {
    return null;
  }
}

/** XState's description of its states, in their order. Its own actions for timers are functions. */
function described(machine: Program['walker']['machine']): unknown {
  const { idMap } = machine as unknown as { readonly idMap: ReadonlyMap<string, AnyStateNode> };
  const states = [...idMap.values()].map(
    ({ id, key, path, type, order, tags, entry, exit, transitions, always, parent, initial }) => ({
      ...{ id, key, path, type, order, tags, parent: parent?.id ?? null },
      entry: JSON.stringify(entry),
      exit: JSON.stringify(exit),
      initial: JSON.stringify(initial),
      transitions: [...transitions].map(([name, all]) => [name, JSON.stringify(all)]),
      always: JSON.stringify(always ?? null),
    }),
  );
  return { states, definition: JSON.stringify(machine.definition), id: machine.id };
}

describe('a machine that is built state by state', () => {
  it('equals the machine that XState makes of the config', () => {
    const programs = fc.sample(documents(8), { numRuns: 400, seed: 11 }).flatMap((document) => programOf(document) ?? []);
    expect(programs.length).toBeGreaterThan(100);
    for (const { config, walker } of programs) {
      const { context, options } = walker.machine.config as unknown as JsonObject;
      const whole = { ...config, context, options } as unknown as Parameters<typeof createMachine>[0];
      const own = createMachine(whole, walker.machine.implementations as never) as unknown as typeof walker.machine;
      expect(described(walker.machine)).toEqual(described(own));
    }
  });

  it('is built in parts, like everything before it', () => {
    const nodes = Array.from({ length: 1_000 }, (_, i) => tool(`n${i}`));
    const edges = nodes.slice(1).map((_, i) => [`n${i}`, `n${i + 1}`, 'state.x == 1'] as const);
    const { workflow } = normalise(documentOf(nodes, edges));
    let pauses = 0;
    const making = compileCooperatively(workflow, 'r');
    for (;;) {
      const { done, value } = making.next();
      if (done === true) {
        expect(value.config).toEqual(compile(workflow, 'r').config);
        break;
      }
      pauses += 1;
    }
    expect(pauses).toBeGreaterThan(1_000);
  });
});
