import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/testing/analysis.ts';
import { analyseInThread } from '../../src/testing/thread/analyse-in-thread.ts';

const tool = (id: string) => ({ id, kind: { type: 'tool', tool_ref: id } });
const CHAIN = {
  workflow_id: 'chain',
  version: '1',
  state_schema: {},
  start_node: 'a',
  nodes: { a: tool('a'), b: tool('b'), lost: tool('lost') },
  edges: [{ from: 'a', to: 'b' }],
};
const BOUNDS = { paths: 100, steps: 1_000, isOver: () => false };

describe('the analysis of a workflow', () => {
  it('joins the warnings of a registration with the findings of the exploration', () => {
    const { findings, paths, bounded } = analyse(CHAIN, BOUNDS);
    const codes = findings.map(({ code, node_id }) => `${code} ${node_id}`);
    expect(codes).toContainEqual(expect.stringMatching(/ lost$/));
    expect(codes).toContain('failure_ends_run a');
    expect(paths).toBe(1);
    expect(bounded).toEqual([]);
  });

  it('says which limit has ended it', () => {
    expect(analyse(CHAIN, { ...BOUNDS, steps: 1 }).bounded).toContain('steps');
    expect(analyse(CHAIN, { ...BOUNDS, isOver: () => true }).bounded).toContain('time');
  });

  it('has the problems of a document that is none', () => {
    const { findings, steps } = analyse({ ...CHAIN, start_node: 'nowhere' }, BOUNDS);
    expect(findings[0]).toMatchObject({ severity: 'error', code: 'unknown_start' });
    expect(steps).toBe(0);
  });

  it('is the same in a thread', async () => {
    const request = { source: JSON.stringify(CHAIN), paths: 100, steps: 1_000, budgetMs: 60_000 };
    expect(await analyseInThread(request, 60_000)).toEqual(analyse(CHAIN, BOUNDS));
  });

  it('ends with its thread when the time is over, and when it is no longer wanted', async () => {
    const request = { source: JSON.stringify(CHAIN), paths: 100, steps: 1_000, budgetMs: 60_000 };
    await expect(analyseInThread(request, 0)).rejects.toMatchObject({ name: 'AnalysisStopped', limit: 'time' });
    const stop = new AbortController();
    const analysing = analyseInThread(request, 60_000, stop.signal);
    stop.abort(new Error('the server stops'));
    await expect(analysing).rejects.toThrow('the server stops');
    await expect(analyseInThread({ ...request, source: 'no JSON' }, 60_000)).rejects.toThrow(/JSON/);
  });
});
