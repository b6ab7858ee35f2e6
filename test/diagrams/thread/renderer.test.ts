import { describe, expect, it, onTestFinished } from 'vitest';
import type { SerializedEvent } from '../../../src/diagrams/thread/messages.ts';
import { DiagramRenderer, type DiagramRequest } from '../../../src/diagrams/thread/renderer.ts';
import { condition, document, tool } from '../../support/workflows.ts';

const SOURCE = JSON.stringify(
  document([condition('which', ['state.x == 1', 'one'], [null, 'other']), tool('one'), tool('other')]),
);
const REQUEST: DiagramRequest = { revision: 'r', source: SOURCE, format: 'mermaid', view: 'workflow', execution: null };

function renderer() {
  const diagrams = new DiagramRenderer();
  onTestFinished(() => diagrams.close());
  const admitted: string[] = [];
  const render = async (request: Partial<DiagramRequest> = {}) => {
    const wanted = { ...REQUEST, ...request };
    const { bytes } = await diagrams.render(wanted, (work) => {
      admitted.push(`${wanted.revision} ${wanted.format} ${wanted.view} ${wanted.execution?.sequence ?? ''}`.trim());
      return work();
    });
    return Buffer.from(bytes).toString();
  };
  return { diagrams, render, admitted };
}

const event = (sequence: number, type: string, nodeId: string | null, data: object): SerializedEvent => ({
  sequence,
  type,
  nodeId,
  data: JSON.stringify(data),
  atMs: 1_000 * sequence,
});

async function* log(x: number): AsyncGenerator<SerializedEvent> {
  yield event(1, 'workflow_started', null, { initial_input: { x } });
  const taken = [x === 1 ? 'one' : 'other'];
  yield event(2, 'node_completed', 'which', { activation: 1, output: null, taken });
}

describe('diagrams drawn in a thread', () => {
  const transitions = () => Promise.resolve(null);

  it('are drawn once for concurrent and repeated requests', async () => {
    const { render, admitted } = renderer();
    const same = await Promise.all(Array.from({ length: 8 }, () => render()));
    expect(new Set(same).size).toBe(1);
    expect(same[0]).toContain('flowchart TD');
    expect(await render()).toBe(same[0]);
    expect(admitted).toEqual(['r mermaid workflow']);
    expect(await render({ view: 'machine' })).toContain('stateDiagram-v2');
    expect(await render({ format: 'dot' })).toContain('digraph');
    expect(admitted).toHaveLength(3);
  });

  it('show the execution at the requested sequence', async () => {
    const { render, admitted } = renderer();
    const at = (sequence: number, x: number) => render({ execution: { id: 'e', sequence, log: () => log(x), transitions } });
    expect(await at(2, 1)).toMatch(/n0 ==>.*n1/);
    expect(await at(2, 1)).toMatch(/n0 ==>.*n1/);
    expect(await at(3, 5)).toMatch(/n0 ==>.*n2/);
    expect(admitted).toEqual(['r mermaid workflow 2', 'r mermaid workflow 3']);
  });

  it('do not block the event loop while they are compiled and drawn', async () => {
    const { render } = renderer();
    const nodes = Array.from({ length: 500 }, (_, i) => tool(`n${i}`));
    const edges = nodes.slice(1).map((_, i) => [`n${i}`, `n${i + 1}`, 'state.x == 1'] as const);
    let turns = 0;
    let over = false;
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    count();
    expect(await render({ source: JSON.stringify(document(nodes, edges)) })).toContain('n499');
    over = true;
    expect(turns).toBeGreaterThan(100);
  });

  it('fail without affecting the next one', async () => {
    const { render } = renderer();
    await expect(render({ revision: 'a', source: '{"nodes":{}}' })).rejects.toMatchObject({ code: 'unreadable_revision' });
    async function* broken(): AsyncGenerator<SerializedEvent> {
      yield event(1, 'workflow_started', null, {});
      throw new Error('the store is unreachable');
    }
    await expect(render({ execution: { id: 'e', sequence: 1, log: broken, transitions } })).rejects.toThrow(
      'the store is unreachable',
    );
    expect(await render()).toContain('flowchart TD');
  });

  it('are refused once the server closes', async () => {
    const { diagrams, render } = renderer();
    const under = expect(render()).rejects.toMatchObject({ code: 'diagrams_busy' });
    await diagrams.close();
    await under;
    await expect(render({ format: 'dot' })).rejects.toMatchObject({ code: 'diagrams_busy' });
  });
});
