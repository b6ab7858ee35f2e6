import { describe, expect, it } from 'vitest';
import { type AnyStateNode, createMachine, setup } from 'xstate';
import { machineStates } from '../../../machines/authored/states.ts';
import { compileDocument } from '../../../machines/compile-document.ts';
import type { HistoryEvent } from '../../../machines/history/event.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { authoredDiagram, authoredMachineIn } from '../../../machines/views/authored-diagram.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { durableMachine } from '../../../src/index.ts';
import { EXAMPLES } from '../../support/state-machines.ts';

const session = createMachine({
  id: 'session',
  initial: 'open',
  on: { ABORT: '.closed' },
  states: {
    open: {
      type: 'parallel',
      states: {
        player: { initial: 'idle', states: { idle: { on: { PLAY: 'playing' } }, playing: { after: { 60000: 'idle' } } } },
        network: {
          initial: 'online',
          states: { online: { on: { LOST: { target: 'offline', guard: 'isMobile' } } }, offline: {} },
        },
      },
      on: { CLOSE: 'closed' },
    },
    closed: { type: 'final' },
  },
});

const drawn = (machine: Parameters<typeof durableMachine>[0], transitions: readonly JsonObject[] = []) => {
  const program = compileDocument(durableMachine(machine, { id: 'drawn', version: '1' }).document);
  const builder = new OverlayBuilder(program);
  const events = [
    { type: 'workflow_started', node_id: null, data: {} },
    { type: 'node_scheduled', node_id: 'run', data: { attempt: 0, activation: 1, queue_type: 'tool', in_process: true } },
    { type: 'node_started', node_id: 'run', data: { attempt: 0, activation: 1, worker_id: 'w', input: {} } },
    ...transitions.map((data) => ({ type: 'machine_transitioned', node_id: 'run', data: { ...data, activation: 1 } })),
  ].map((event, i) => ({ ...event, sequence: i + 1, created_at: new Date(1_000 * i).toISOString() }) as HistoryEvent);
  for (const event of events) builder.apply(event);
  const states = authoredMachineIn(program);
  if (states === null) throw new TypeError('no machine');
  return authoredDiagram(program, states, { id: null, overlay: builder.overlay, transitions: null });
};

const moved = (event: string, value: Json, more: JsonObject = {}): JsonObject => ({ operation: 1, event, value, ...more });

describe('the states of a machine of an author', () => {
  it.each(EXAMPLES)('are a config from which XState makes the same states: $name', ({ machine }) => {
    const config = machineStates(machine(() => {}));
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    const again = createMachine(config as never);
    expect(machineStates(again)).toEqual(config);
    const count = (node: AnyStateNode): number => Object.values(node.states).reduce((sum, inner) => sum + count(inner), 1);
    expect(count(again.root)).toBe(count(machine(() => {}).root));
  });

  it('are drawn whatever else the config of a document has', () => {
    const transitions = Array.from({ length: 9_000 }, (_, i) => [`e${i}`, [{ target: ['#busy'] }]]);
    const states = {
      busy: {
        id: 'busy',
        on: Object.fromEntries(transitions),
        after: null,
        always: 'x',
        invoke: [7, { id: {} }],
        tags: [{}, 't'],
      },
      none: null,
      list: [],
      odd: {
        id: { toString: 1 },
        on: { X: [null, 4, { target: {} }, { target: [{}, '#busy'], guard: { type: {} } }] },
        states: 4,
      },
    };
    const function_ref = 'f';
    const kind = { type: 'durable_function', function_ref, machine: { initial: ['busy'], states } };
    const program = compileDocument({ workflow_id: 'w', version: '1', nodes: { run: { kind } }, edges: [] });
    const machine = authoredMachineIn(program);
    if (machine === null) throw new TypeError('no machine');
    const { nodes, edges } = authoredDiagram(program, machine, null);
    expect(nodes.map(({ name }) => name)).toEqual(['start', 'busy']);
    expect(edges.map(({ from, to, label }) => [from, to, label.split('\n').slice(-2)])).toEqual([
      ['s0', 's0', ['e18', '8981 more']],
    ]);
  });

  it('of a parallel machine are all begun', () => {
    const regions = { left: { initial: 'a', states: { a: {} } }, right: {} };
    const { nodes, frames, edges } = drawn(createMachine({ id: 'both', type: 'parallel', states: regions }));
    const keys = new Map([
      ...nodes.map(({ name, key }) => [name, key] as const),
      ...frames.map((f) => [f.label, f.key] as const),
    ]);
    const begun = edges.filter(({ from }) => from === 'begin').map(({ to }) => to);
    expect(begun).toEqual([keys.get('left'), keys.get('right')]);
  });

  it('are drawn in their frames, with events, delays and guards', () => {
    const { nodes, frames, edges } = drawn(session);
    expect(nodes.map(({ name, shape }) => `${name} ${shape}`)).toEqual([
      'start begin',
      'idle wait',
      'playing wait',
      'online wait',
      'offline wait',
      'closed final',
    ]);
    expect(frames.map(({ label, parallel }) => [label, parallel])).toEqual([
      ['open', true],
      ['player', false],
      ['network', false],
    ]);
    const names = new Map([
      ...nodes.map(({ key, name }) => [key, name] as const),
      ...frames.map((f) => [f.key, f.label] as const),
    ]);
    expect(edges.map(({ from, to, label }) => `${names.get(from)} → ${names.get(to)}: ${label}`)).toEqual([
      'start → open: ',
      'player → idle: first',
      'network → online: first',
      'open → closed: CLOSE',
      'idle → playing: PLAY',
      'playing → idle: after 1 m',
      'online → offline: LOST [isMobile]',
      'start → closed: ABORT',
    ]);
  });

  it('show where an execution is, and has been', () => {
    const { nodes } = drawn(session, [
      moved('xstate.init', { open: { player: 'idle', network: 'online' } }),
      moved('PLAY', { open: { player: 'playing', network: 'online' } }),
      moved('PLAY', 'elsewhere', { actor: 'child' }),
    ]);
    const shown = nodes.flatMap(({ name, overlay }) => (overlay === null ? [] : [`${name} ${overlay.status}`]));
    expect(shown).toEqual(['idle done', 'playing waiting', 'online waiting']);
  });

  it('are those of the author, whatever implements them', () => {
    const machine = setup({ actions: { greet: () => {} } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { entry: ['greet', () => {}], tags: ['first'] } },
    });
    expect(machineStates(machine)).toEqual({
      id: 'm',
      initial: 'a',
      states: { a: { id: 'a', tags: ['first'], entry: ['greet'] } },
    });
  });
});
