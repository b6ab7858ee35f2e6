import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { type LoggedEvent, trajectoryDiff, trajectoryOf, trajectoryScore } from '../../src/evaluation/trajectory.ts';
import { toolsIn } from '../../src/evaluation/trajectory-file.ts';

const event = (type: string, data: JsonObject): LoggedEvent => ({ type, node_id: 'n', data });
const asks = (...names: string[]) =>
  event('node_completed', { output: '', state_patch: { last_model_tool_calls: names.map((name) => ({ id: 'c', name })) } });
const calls = (tool: string) => event('tool_call_completed', { tool });

describe('the tools of an execution', () => {
  it('are those that nodes call, and those that models ask for, each once', () => {
    const events = [calls('shop.find'), asks('search', 'add'), calls('web.search'), asks('search'), calls('mail'), asks()];
    expect(trajectoryOf(events)).toEqual({ tools: ['shop.find', 'search', 'add', 'search', 'mail'], turns: 3 });
  });

  it('are those in the output of a model of the upstream runtime', () => {
    const completed = event('node_completed', { output: { tool_calls: [{ name: 'search' }, { id: 'x' }] } });
    expect(trajectoryOf([completed])).toEqual({ tools: ['search'], turns: 1 });
    expect(trajectoryOf([event('node_completed', { output: {} })])).toEqual({ tools: [], turns: null });
  });
});

describe('what a row expects of them', () => {
  const trajectory = { tools: ['search', 'read', 'search', 'add'], turns: 2 };

  it.each<[JsonObject, boolean]>([
    [{ expected_tools: ['add', 'search'] }, true],
    [{ expected_tools: ['add', 'mail'] }, false],
    [{ expected_tools: ['add', 'search'], expected_tools_exact: true }, false],
    [{ expected_tools: ['add', 'search', 'read'], expected_tools_exact: true }, true],
    [{ tool_sequence: ['search', 'add'] }, true],
    [{ tool_sequence: ['add', 'read'] }, false],
    [{ used_tool: 'read' }, true],
    [{ used_tool: ['read', 'mail'] }, false],
    [{ did_not_use: 'mail' }, true],
    [{ did_not_use: ['mail', 'add'] }, false],
    [{ max_turns: 2 }, true],
    [{ max_turns: 1 }, false],
    [{ step_count: 4 }, true],
    [{ step_count: 3 }, false],
    [{ tools: ['search'] }, false],
    [{}, true],
  ])('%j: %s', (expected, passed) => {
    expect(trajectoryScore(expected, trajectory)).toMatchObject({ scorer: 'trajectory', passed });
  });

  it('is scored by the share that holds', () => {
    expect(trajectoryScore({ used_tool: 'read', step_count: 3 }, trajectory)).toMatchObject({
      score: 0.5,
      message: 'step_count: 4 calls of tools',
    });
  });
});

describe('the difference of two runs', () => {
  it.each([
    [['a', 'b'], ['a', 'b'], { changed: false, added: [], removed: [], reordered: false }],
    [['a', 'b'], ['b', 'a'], { changed: true, added: [], removed: [], reordered: true }],
    [['a'], ['a', 'b', 'b'], { changed: true, added: ['b', 'b'], removed: [], reordered: false }],
    [['a', 'c'], ['b'], { changed: true, added: ['b'], removed: ['a', 'c'], reordered: false }],
  ])('%j → %j', (before, after, diff) => {
    expect(trajectoryDiff(before, after)).toEqual({ ...diff, before, after });
  });
});

describe('a file of a run', () => {
  it('holds events in either form, results, or names', () => {
    const flat = [calls('a'), calls('b')];
    const tagged = flat.map(({ type, data }) => ({ sequence: 1, kind: { type, ...data } }));
    const pascal = [{ type: 'ToolCallCompleted', data: { tool: 'a' } }];
    expect(toolsIn({ events: flat }, null)).toEqual({ found: ['a', 'b'] });
    expect(toolsIn(tagged, null)).toEqual({ found: ['a', 'b'] });
    expect(toolsIn(pascal, null)).toEqual({ found: ['a'] });
    expect(toolsIn(['a'], null)).toEqual({ found: ['a'] });
    const results = [
      { row_id: 'x', trajectory: ['a'] },
      { row_id: 'y', trajectory: null },
    ];
    expect(toolsIn(results, 'x')).toEqual({ found: ['a'] });
    expect(toolsIn(results, 'y')).toEqual({ found: [] });
    expect(toolsIn(results, null)).toMatchObject({ problem: 'no_row' });
    expect(toolsIn(results, 'z')).toMatchObject({ problem: 'unknown_row' });
    for (const other of [{}, 'a', [1], [{ a: 1 }]]) expect(toolsIn(other, null)).toMatchObject({ problem: 'unknown_form' });
  });
});
