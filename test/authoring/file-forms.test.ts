import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { parseWorkflow } from '../support/parse-workflow.ts';
import { compiled, problems } from './compile.ts';

describe('a file that is the document itself', () => {
  const document = {
    workflow_id: 'w',
    version: '1',
    nodes: { a: { id: 'a', kind: { type: 'tool', tool_ref: 'a' } } },
    edges: [],
    extra: [1, null],
  };

  it.each([
    ['JSON', JSON.stringify(document)],
    ['JSON with tabs', JSON.stringify(document, null, '\t')],
    ['JSON inside {"ir": …}', JSON.stringify({ ir: document }, null, 2)],
    [
      'YAML',
      'workflow_id: w\nversion: "1"\nnodes: { a: { id: a, kind: { type: tool, tool_ref: a } } }\nedges: []\nextra: [1, null]',
    ],
  ])('is used unchanged: %s', (_form, text) => expect(compiled(text, 'w.json')).toEqual(document));

  it('keeps all characters of its texts', () => {
    const given = { workflow_id: 'w', version: '1', name: '\u{1F600} \u2028 "\\/" \u0007 \ud83d' };
    expect(compiled(JSON.stringify(given)).name).toBe(given.name);
  });

  it('must be a map inside {"ir": …}', () => expect(problems('{"ir": 5}')).toEqual(['1:8 error wrong_type']));
});

describe('nodes inside the header', () => {
  it('are the same as beside it', () => {
    expect(compiled('workflow:\n  id: w\n  nodes: { a: {} }').nodes).toEqual(
      compiled('workflow: { id: w }\nnodes: { a: {} }').nodes,
    );
  });

  it('are refused when there are others beside it', () =>
    expect(problems('workflow:\n  id: w\n  nodes: { a: {} }\nnodes: { b: {} }')).toEqual(['3:3 error given_twice']));
});

describe('a file without nodes', () => {
  it.each([
    ['workflow: { id: w }', '1:1'],
    ['workflow: { id: w }\nnodes: {}', '2:1'],
    ['workflow: { id: w }\nnodes:\n', '2:1'],
    ['project: { name: p }', '1:1'],
  ])('is refused: %j', (text, place) => expect(problems(text)).toEqual([`${place} error no_nodes`]));
});

describe('a template as the key of an event', () => {
  it('is a warning, since it is not rendered', () => {
    const text = 'workflow: { id: w }\nnodes:\n  paid: { type: wait, event: "paid-{{ state.order }}" }';
    const { diagnostics } = checkWorkflow(text, 'w.yaml');
    expect(diagnostics).toMatchObject([{ code: 'literal_key', severity: 'warning', node_id: 'paid', line: 3 }]);
  });
});

describe('the time until which a wait waits', () => {
  it.each([
    ['until: tomorrow', 'bad_time'],
    ['until: "2026-02-30"', 'bad_time'],
    ['until: "{{ state.at }}", timeout: 4', 'given_twice'],
  ])('%s is %s', (keys, code) => {
    const { diagnostics } = checkWorkflow(`workflow: { id: w }\nnodes:\n  n: { type: wait, ${keys} }`, 'w.yaml');
    expect(diagnostics).toMatchObject([{ code, severity: 'error', node_id: 'n', line: 3 }]);
  });
});

describe('an unknown key', () => {
  it('is a warning with its line', () => {
    expect(problems('workflow:\n  id: w\n  owner: me\nextra: 1\nnodes:\n  a:\n    tmeout: 5\n    model: gpt\n')).toEqual([
      '3:3 warning unknown_key',
      '4:1 warning unknown_key',
      '7:5 warning unknown_key',
      '8:5 warning unknown_key',
    ]);
  });

  it('that belongs in the header says so', () => {
    const [diagnostic] = parseWorkflow('workflow: { id: w }\nstate_schema: { n: int }\nnodes: { a: {} }', 'w.yaml').diagnostics;
    expect(diagnostic).toMatchObject({ code: 'unknown_key', hint: 'write it inside "workflow:"', line: 2 });
  });

  it('has the most similar name as a hint', () => {
    const [diagnostic] = parseWorkflow('workflow: { id: w }\nnodes: { a: { tmeout: 5 } }', 'w.yaml').diagnostics;
    expect(diagnostic).toMatchObject({ hint: 'did you mean "timeout"?', node_id: 'a', file: 'w.yaml' });
  });

  it('is accepted when it begins with "x-"', () =>
    expect(problems('workflow: { id: w, x-a: 1 }\nx-b: 2\nnodes: { a: { x-c: 3 } }')).toEqual([]));

  it('does not prevent a run', () =>
    expect(parseWorkflow('workflow: { id: w }\nnodes: { a: { tmeout: 5 } }', 'w.yaml').document).not.toBeNull());
});

describe('two spellings of one key', () => {
  it('are an error at the second one', () => {
    expect(
      problems(
        'workflow: { id: w }\nnodes:\n  a:\n    input: { x: 1 }\n    arguments: { x: 2 }\n    timeout: 3\n    timeout_hours: 4',
      ),
    ).toEqual(['5:5 error given_twice', '7:5 error given_twice']);
  });
});

describe('values of the wrong type', () => {
  it('are all reported', () => {
    const text =
      'workflow: { id: w, start: [a] }\nnodes:\n  a: 5\n  b:\n  c: [1]\n  d: { type: { x: 1 }, next: 5.5, labels: [1], policy: x, output_key: {} }\n';
    expect(problems(text)).toEqual([
      '1:27 error wrong_type',
      '3:6 error wrong_type',
      '4:3 error wrong_type',
      '5:6 error wrong_type',
      '6:14 error wrong_type',
      '6:43 error wrong_type',
      '6:56 error wrong_type',
      '6:71 error wrong_type',
    ]);
  });
});
