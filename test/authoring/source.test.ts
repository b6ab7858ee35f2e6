import { describe, expect, it } from 'vitest';
import { parseWorkflow } from '../support/parse-workflow.ts';
import { compiled, problems, workflowOf } from './compile.ts';

describe('a text that is not YAML', () => {
  it.each([
    ['a tab as indentation', 'workflow:\n\tid: a', '2:1 error yaml_syntax'],
    ['a map that does not close', 'workflow: { id: a\nnodes: { a: {} }', '2:1 error yaml_syntax'],
    ['a colon in a plain text', 'workflow: { id: w }\nnodes:\n  a:\n    description: foo: bar', '4:18 error yaml_syntax'],
    ['a reserved character', 'workflow: { id: w }\nnodes:\n  a:\n    tool_ref: @x', '4:15 error yaml_syntax'],
    ['a tag', 'workflow: { id: !!binary aGk= }\nnodes: { a: {} }', '1:17 error yaml_syntax'],
    ['a second document', 'workflow: { id: w }\nnodes: { a: {} }\n---\na: 1', '3:1 error several_documents'],
    ['nothing at all', '', '1:1 error empty_file'],
    ['nothing but a comment', '# later\n', '1:1 error empty_file'],
    ['null', '~', '1:1 error empty_file'],
    ['a text', 'hello', '1:1 error not_a_workflow'],
    ['a list', '- a', '1:1 error not_a_workflow'],
  ])('%s', (_what, text, problem) => expect(problems(text)).toContain(problem));

  it('has no document', () => expect(parseWorkflow('workflow: { id: a\n', 'w.yaml').document).toBeNull());
});

describe('a key', () => {
  it('is unique in its map', () => {
    expect(problems(workflowOf('  a: {}\n  a: {}'))).toEqual(['4:3 error duplicate_key']);
    expect(problems('{"workflow_id": "w", "version": "1", "version": "2"}')).toEqual(['1:38 error duplicate_key']);
  });

  it.each([
    ['a number', '1: {}', '3:3'],
    ['a boolean', 'true: {}', '3:3'],
    ['null', '~: {}', '3:3'],
    ['a list', '[x]: {}', '3:3'],
    ['__proto__', '__proto__: {}', '3:3'],
    ['an unquoted template', 'a: { input: {{ state.x }} }', '3:16'],
  ])('is a text, not %s', (_what, nodes, place) =>
    expect(problems(workflowOf(`  ${nodes}`))).toContain(`${place} error bad_key`),
  );

  it('may be quoted', () => expect(Object.keys(compiled(workflowOf('  "1": {}')).nodes as object)).toEqual(['1']));
});

describe('a value', () => {
  it('is a JSON value', () => {
    expect(problems(workflowOf('  a: { input: { x: .nan, y: -.inf } }'))).toEqual(['3:20 error not_json', '3:29 error not_json']);
  });

  it('is not rounded without a warning', () => {
    expect(problems(workflowOf('  a: { input: { x: 12345678901234567890 } }'))).toEqual(['3:20 warning rounded_number']);
  });
});

describe('anchors', () => {
  it('are resolved and merged', () => {
    const text =
      'workflow: { id: w }\nx-call: &call { type: http, url: u, method: GET }\nnodes: { a: *call, b: { <<: *call, url: v }, c: { <<: [{ url: z }, *call] } }';
    expect(compiled(text).nodes).toMatchObject({
      a: { kind: { url: 'u' } },
      b: { kind: { url: 'v', method: 'GET' } },
      c: { kind: { url: 'z', method: 'GET' } },
    });
  });

  it('refer to the last one of their name', () => {
    expect(compiled('workflow: { id: w }\nx-a: [&v 1, &v 2]\nnodes: { a: { input: { k: *v } } }').nodes).toMatchObject({
      a: { kind: { input_mapping: { k: 2 } } },
    });
  });

  it.each([
    ['without a target', '{ input: *nowhere }', '3:15 error unknown_anchor'],
    ['inside themselves', '{ input: &a [*a] }', '3:19 error nested_too_deep'],
    ['merged into themselves', '&a { <<: *a }', '3:11 error nested_too_deep'],
    ['that merge no map', '{ <<: 5 }', '3:8 error bad_merge'],
  ])('are refused %s', (_what, node, problem) => expect(problems(workflowOf(`  a: ${node}`))).toContain(problem));

  it('cannot make a small file huge', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `x-${i + 1}: &v${i + 1} [${`*v${i},`.repeat(10)}]`);
    expect(problems(`workflow: { id: w }\nx-0: &v0 [1,1,1]\n${levels.join('\n')}\nnodes: { a: { input: *v9 } }`)).toEqual([
      expect.stringMatching(/error too_many_values$/),
    ]);
  });

  it('cannot make merging endless', () => {
    const levels = Array.from({ length: 60 }, (_, i) => `x-${i + 1}: &v${i + 1} { <<: [*v${i}, *v${i}], k${i}: 1 }`);
    expect(problems(`workflow: { id: w }\nx-0: &v0 { k: 1 }\n${levels.join('\n')}\nnodes: { a: { input: *v60 } }`)).toEqual([]);
  });
});

describe('a hostile file', () => {
  it.each([
    ['lists', '['.repeat(200_000)],
    ['maps', '{a: '.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['question marks', '? '.repeat(100_000)],
    ['closed lists', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('may not nest too deeply: %s', (_what, text) =>
    expect(problems(text)).toEqual([expect.stringMatching(/^1:\d+ error nested_too_deep$/)]),
  );

  it('may not be too large', () => expect(problems(`a: "${'x'.repeat(3_000_000)}"`)).toEqual(['1:1 error file_too_large']));

  it('has a hundred problems listed and the others counted', () => {
    const { diagnostics } = parseWorkflow(workflowOf(Array.from({ length: 150 }, (_, i) => `  n${i}: 5`).join('\n')), 'w.yaml');
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)).toMatchObject({ code: 'more_problems', message: '… and 50 more problems', severity: 'error' });
  });
});

describe('line ends and byte order marks', () => {
  it('do not shift positions', () => {
    expect(problems('\ufeffworkflow:\r\n  id: w\r\nnodes:\r\n  a:\r\n    foo: 1\r\n')).toEqual(['5:5 warning unknown_key']);
  });
});
