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

  it('needs agents or workflows', () => {
    expect(found('workflows: {}')).toEqual(['1:1 error no_units']);
    expect(found('agents: {}')).toEqual(['1:1 error no_units']);
  });

  it('may have tests in each workflow, and the problems of the file are those of the first', () => {
    const tested = `workflows:
  a: { nodes: { t: {} }, tests: [{ name: of a, results: { t: 1 }, expect: { state: {} } }], extra: 1 }
  b: { nodes: { u: {} }, tests: [{ name: of b, expect: { state: {} } }] }
`;
    const [first, second] = checkTests(tested, 'f.yaml');
    expect([first.unit, first.tests.map(({ name }) => name), first.workflow?.workflow_id]).toEqual(['a', ['of a'], 'a']);
    expect([second?.unit, second?.tests.map(({ name }) => name), second?.workflow?.workflow_id]).toEqual(['b', ['of b'], 'b']);
    expect([first.diagnostics, second?.diagnostics]).toMatchObject([[{ code: 'unknown_key', line: 2 }], []]);
  });
});

const FLEET = `defaults: { model: m, version: 2.0.0, limits: { max_iterations: 2, max_cost_usd: 1, timeout_seconds: 60 } }
tools: { search: { description: finds } }
mcp: { servers: { hub: { url: "https://hub.example/mcp" } } }
agents:
  brief:
    strategy: react
    goal: Summarise
    limits: { max_iterations: 3 }
    schedule: { cron: "0 8 * * 1-5", timezone: Europe/Berlin, enabled: false }
  check:
    strategy: critic
    goal: Check
    model: other
    version: 3.0.0
workflows:
  ping: { nodes: { t: {} } }
`;

describe('a fleet', () => {
  it('has a document for each agent and workflow, with the defaults of the file', () => {
    const { workflows, diagnostics } = checkWorkflow(FLEET, 'fleet.yaml');
    expect(diagnostics).toMatchObject([{ code: 'unusable_tool', line: 2 }]);
    expect(workflows.map(({ document }) => document)).toMatchObject([
      { workflow_id: 'brief', version: '2.0.0', timeouts: { workflow_timeout: 60 }, tools: {}, mcp_servers: {} },
      { workflow_id: 'check', version: '3.0.0', strategy_metadata: { limits: { max_iterations: 2, max_cost_usd: 1 } } },
      { workflow_id: 'ping', version: '2.0.0', mcp_servers: { hub: {} } },
    ]);
    expect(JSON.stringify(workflows[0]?.document)).toContain('__think_2__');
    expect(JSON.stringify(workflows[1]?.document)).toContain('"model_ref":"other"');
    expect(workflows[0]?.schedule).toEqual({ cron: '0 8 * * 1-5', timezone: 'Europe/Berlin', input: {}, enabled: false });
  });

  it('names the tools and units that an agent uses to the model', () => {
    const using = FLEET.replace(
      '    goal: Check\n',
      '    goal: Check\n    uses: [tool:search, mcp:hub, agent:brief, workflow:ping]\n',
    );
    const { workflows, diagnostics } = checkWorkflow(using.replace('strategy: critic', 'strategy: react'), 'fleet.yaml');
    expect(diagnostics.map(({ code, line }) => `${line} ${code}`)).toEqual(['13 tools_not_called']);
    expect(JSON.stringify(workflows[1]?.document.nodes)).toContain('search, brief, ping');
    // A description for models is no tool that a node can call.
    expect(workflows[2]?.document.tools).toEqual({});
  });

  it('is refused for names that do not exist, one id twice, circles and schedules that cannot be', () => {
    const text = `defaults: { model: m, limits: { max_iterations: 1, max_cost_usd: 1, timeout_seconds: 1 } }
agents:
  a: { strategy: react, goal: g, uses: [agent:b] }
  b: { strategy: react, goal: g, uses: [agent:a] }
  c:
    strategy: react
    goal: g
    uses:
      - tool:search
      - mcp:hub
      - agent:bb
      - search
      - { tool: search }
    schedule: { cron: "0 8 * * * *" }
  d: { strategy: react, goal: g, schedule: { cron: "0 8 * * *", timezone: Mars } }
workflows:
  a: { nodes: { t: {} } }
`;
    const errors = checkWorkflow(text, 'f.yaml').diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '4:41 circular_uses',
      '9:9 unknown_use',
      '10:9 unknown_use',
      '11:9 unknown_use',
      '12:9 unknown_use',
      '13:9 unknown_use',
      '14:23 bad_schedule',
      '15:75 bad_schedule',
      '17:3 duplicate_unit',
    ]);
    expect(errors[0]?.message).toBe('units use each other in a circle: a → b → a');
  });
});
