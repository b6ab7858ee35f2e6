import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';

function found(text: string, file = 'workflow.yaml'): string[] {
  return checkWorkflow(text, file).diagnostics.map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);
}

describe('checking a workflow file', () => {
  it('reports strict_input without a schema at its place', () => {
    expect(found('strict_input: true\nworkflow: { id: w }\nnodes: { a: { type: wait, event: e } }')).toEqual([
      '1:15 error no_state_schema',
    ]);
  });

  it('reports the errors of the runtime with their positions', () => {
    const text = `workflow:
  id: w
  start: frist
nodes:
  first:
    next: secnd
  second:
    type: human_approval
    on_approved: thrid
    on_rejected: first
  third:
    type: condition
    branches:
      - { if: state.x, next: forth }
    default: end
  fork:
    type: parallel
    branches: [first, nope]
    join: nowhere
  merge:
    type: join
    wait_for: [first, nix]
    strategy: fist
  ask:
    type: teleport
    task: x
  typo:
    type: tol
  fetch:
    type: http
    url: u
    method: FETCH
  pause:
    type: wait
    condition: timer
  again:
    retry: { max_attempts: 0 }
    fallback: nada
    next: [{ when: state.x, to: nil }, { else: first }]
`;
    expect(found(text)).toEqual([
      '3:10 error unknown_start',
      '6:11 error unknown_target',
      '9:18 error unknown_target',
      '14:30 error unknown_target',
      '18:23 error unknown_target',
      '19:11 error unknown_target',
      '22:23 error unknown_target',
      '23:15 error wrong_type',
      '25:11 error unknown_kind',
      '28:11 error unknown_kind',
      '32:13 error wrong_type',
      '33:3 error missing_key',
      '37:28 error wrong_type',
      '38:15 error unknown_target',
      '39:33 error unknown_target',
    ]);
    expect(checkWorkflow(text, 'workflow.yaml').document).toBeNull();
  });

  it('reports conditions and templates with their positions', () => {
    const text = `workflow:
  id: w
  state_schema: { known: str }
nodes:
  a:
    input: { x: "{{ state.unknown }}" }
    next:
      - when: "state.known ="
        to: b
      - else: end
  b:
    type: condition
    branches:
      - if: "lenn(state.known) > 1"
        next: end
`;
    expect(found(text)).toEqual([
      '6:12 warning unknown_variable',
      '8:15 warning bad_condition',
      '13:5 warning condition_without_default',
      '14:13 warning unknown_function',
    ]);
  });

  it('suggests the most similar name', () => {
    const [diagnostic] = checkWorkflow('workflow: { id: w }\nnodes: { first: { next: frist } }', 'flows/w.yaml').diagnostics;
    expect(diagnostic).toMatchObject({
      file: 'flows/w.yaml',
      line: 2,
      column: 25,
      node_id: 'first',
      hint: 'did you mean "first"?',
    });
  });

  it('omits problems that follow from a reported one', () => {
    expect(found('workflow: { id: w }\nnodes:\n  a: { type: condition, branches: [{ if: x }] }\n  b: { timeout: soon }')).toEqual(
      ['3:36 error missing_key', '4:17 error wrong_type'],
    );
  });

  it('finds positions in a JSON document with any form of nodes', () => {
    const asMap = JSON.stringify(
      {
        workflow_id: 'w',
        version: '1',
        nodes: { 'a.b': { kind: { type: 'tool', tool_ref: 't' } } },
        edges: [{ from: 'a.b', to: 'c' }],
      },
      null,
      1,
    );
    expect(found(asMap, 'w.json')).toEqual([`${lineOf(asMap, '"c"')} error unknown_target`]);
    const asList = JSON.stringify({ workflow_id: 'w', version: '1', nodes: [{ id: 'a', kind: { type: 'tool' } }] }, null, 1);
    expect(found(asList, 'w.json')).toEqual([`${lineOf(asList, '"kind"')} error missing_key`]);
    const wrapped = JSON.stringify({ ir: { workflow_id: 'w', nodes: { a: { kind: { type: 'tol' } } } } }, null, 1);
    expect(found(wrapped, 'w.json')).toEqual(['1:1 error missing_key', `${lineOf(wrapped, '"tol"')} error unknown_kind`]);
  });

  it('returns a document in spite of warnings', () => {
    const { document, diagnostics } = checkWorkflow('workflow: { id: w }\nnodes: { a: { next: end }, island: {} }', 'w.yaml');
    expect(diagnostics).toMatchObject([{ severity: 'warning', code: 'unreachable_node', line: 2, column: 28 }]);
    expect(document).toMatchObject({ workflow_id: 'w' });
  });
});

/** `line:column` of the first occurrence of the text. */
function lineOf(text: string, part: string): string {
  const before = text.slice(0, text.indexOf(part)).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}
