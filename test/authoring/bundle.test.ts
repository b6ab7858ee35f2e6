import { describe, expect, it } from 'vitest';
import { checkTests, checkWorkflow } from '../../src/authoring/check.ts';

const BUNDLE = `version: 1
defaults: { model: m, version: 2.0.0, limits: { max_cost_usd: 1 } }
tools:
  spare: { description: "No kind, and no node calls it", input_schema: { type: object } }
  double: { kind: python, ref: "app.tools:double" }
workflows:
  ping:
    start: call
    nodes:
      call: { type: tool, tool_ref: double, next: end }
    schedule: { cron: "*/15 * * * *", input: { n: 1 } }
  report:
    version: 0.3.0
    state_schema: { n: int }
    nodes:
      ask: { type: human_approval, message: "Go?", on_approved: end, on_rejected: end }
`;

const found = (text: string) =>
  checkWorkflow(text, 'bundle.yaml').diagnostics.map(
    ({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`,
  );

describe('a file with several workflows', () => {
  it('has a document for each workflow, with the tools and the version of the file', () => {
    const { document, workflows } = checkWorkflow(BUNDLE, 'bundle.yaml');
    expect(document).toBeNull();
    expect(workflows.map((workflow) => workflow.document)).toMatchObject([
      { workflow_id: 'ping', version: '2.0.0', start_node: 'call', tools: { double: { kind: 'python' } } },
      { workflow_id: 'report', version: '0.3.0', tools: { double: { kind: 'python' } } },
    ]);
    expect(workflows.map((workflow) => workflow.schedule)).toEqual([
      { cron: '*/15 * * * *', timezone: 'UTC', input: { n: 1 }, enabled: true },
      null,
    ]);
  });

  it('reports an unusable tool once', () => expect(found(BUNDLE)).toEqual(['4:10 warning unusable_tool']));

  it('may name functions', () => {
    const { localTools } = checkWorkflow(
      'tools: { t: { kind: function, reference: "./t.mjs#t" } }\nworkflows: { a: { nodes: { t: {} } } }',
      '/flows/f.yaml',
    );
    expect(localTools).toEqual({ t: { module: '/flows/t.mjs', export: 't' } });
  });

  it('is refused as a whole, with the position of every problem', () => {
    const text = `workflows:
  a:
    nodes: { x: { next: y } }
  b:
    schedule: { timezone: UTC }
    nodes: { x: { type: tol } }
  c: 5
  d: { }
`;
    expect(found(text)).toEqual([
      '3:25 error unknown_target',
      '5:5 error missing_key',
      '6:25 error unknown_kind',
      '7:6 error wrong_type',
      '8:3 error no_nodes',
    ]);
    expect(checkWorkflow(text, 'f.yaml').workflows).toEqual([]);
  });

  it('needs workflows and allows no agents', () => {
    expect(found('agents: { a: { goal: g } }\nworkflows: { w: { nodes: { t: {} } } }')).toEqual(['1:1 error not_available']);
    expect(found('workflows: {}')).toEqual(['1:1 error no_units']);
  });

  it('allows no tests', () => {
    expect(checkTests(BUNDLE, 'f.yaml').file.diagnostics).toMatchObject([{ code: 'several_workflows', severity: 'error' }, {}]);
    expect(checkTests(BUNDLE, 'f.yaml').workflow).toBeNull();
  });
});
