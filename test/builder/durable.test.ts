import { describe, expect, it } from 'vitest';
import { fromPromise, setup } from 'xstate';
import type { JsonObject } from '../../machines/json.ts';
import { durable, durableMachine, InvalidWorkflow, type WorkflowDefinition, workflow } from '../../src/index.ts';

const ship = durable({ id: 'ship', version: '3', run: () => ({}) });
const machine = setup({
  actors: { work: fromPromise(async () => 1), rest: fromPromise(async () => 2) },
}).createMachine({ invoke: [{ src: 'work' }, { src: 'rest' }] });

const kindOf = ({ document }: Pick<WorkflowDefinition, 'document'>): JsonObject =>
  ((document.nodes as JsonObject).run as { kind: JsonObject }).kind;

describe('the workflows that a definition says it calls', () => {
  it('are ids in its document, by id or definition', () => {
    const run = () => ({});
    expect(kindOf(durable({ id: 'f', calls: [ship, 'bill'], run })).calls).toEqual(['ship', 'bill']);
    expect(kindOf(durable({ id: 'f', calls: [], run })).calls).toEqual([]);
    expect(kindOf(durable({ id: 'f', run }))).not.toHaveProperty('calls');
  });

  it('are, of a state machine, its activities that are workflows', () => {
    const activities = { work: ship as never, rest: { retry: { maxAttempts: 2 } } };
    expect(kindOf(durableMachine(machine, { id: 'm', activities })).calls).toEqual(['ship']);
    expect(kindOf(durableMachine(machine, { id: 'm' }))).not.toHaveProperty('calls');
  });

  it('and the states of its machine hold for a node of a graph that names it by its definition', () => {
    const definition = durableMachine(machine, { id: 'm', activities: { work: ship as never } });
    const graph = (more: object) =>
      kindOf(workflow({ id: 'g', version: '1', nodes: { run: { type: 'durable_function', function: definition, ...more } } }));
    const { calls, machine: states } = kindOf(definition);
    expect(graph({})).toMatchObject({ function_ref: 'm', calls: calls as never, machine: states as never });
    expect(graph({ calls: ['bill'] })).toMatchObject({ calls: ['bill'], machine: states as never });
  });

  it('are refused unless they are a list of names', () => {
    const broken = durable({ id: 'f', calls: [7] as never, run: () => ({}) });
    expect(() => broken.document).toThrow(InvalidWorkflow);
    expect(broken.diagnostics.map(({ message }) => message)).toEqual([expect.stringContaining('calls must be a list of names')]);
  });

  it('are typed', () => {
    // @ts-expect-error a definition has an id
    durable({ id: 'f', calls: [{ version: '1' }], run: () => ({}) });
  });
});
