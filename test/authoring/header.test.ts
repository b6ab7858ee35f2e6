import { describe, expect, it } from 'vitest';
import { compiled, problems } from './compile.ts';

const header = (keys: string) => compiled(`workflow: { id: w, ${keys} }\nnodes: { a: {}, b: {} }`);

describe('the header', () => {
  it('fills in what the runtime needs', () => {
    expect(compiled('workflow: { id: w }\nnodes: { a: {}, b: {} }')).toEqual({
      workflow_id: 'w',
      version: '0.1.0',
      state_schema: '',
      start_node: 'a',
      nodes: { a: { id: 'a', kind: { type: 'tool', tool_ref: 'a' } }, b: { id: 'b', kind: { type: 'tool', tool_ref: 'b' } } },
      edges: [
        { from: 'a', to: 'end', condition: null },
        { from: 'b', to: 'end', condition: null },
      ],
      retry_policies: {},
      models: {},
      tools: {},
      mcp_servers: {},
      remote_agents: {},
      labels: {},
    });
  });

  it('may be absent, with its keys at the top of the file', () => {
    expect(compiled('id: w\nversion: 2\nname: W\nstart: b\nnodes: { a: {}, b: {} }')).toMatchObject({
      workflow_id: 'w',
      version: '2',
      name: 'W',
      start_node: 'b',
    });
  });

  it('keeps the version as it is written', () => {
    expect(header('version: 0.10')).toMatchObject({ version: '0.10' });
    expect(header('version: 1.0')).toMatchObject({ version: '1.0' });
    expect(header('version: "3"')).toMatchObject({ version: '3' });
  });

  it('names the first node to run', () => {
    expect(header('start: b')).toMatchObject({ start_node: 'b' });
    expect(header('start_node: b')).toMatchObject({ start_node: 'b' });
  });

  it('starts at the first node that is no end', () => {
    expect(compiled('workflow: { id: w }\nnodes: { z: { type: end }, a: {} }')).toMatchObject({ start_node: 'a' });
  });

  it('has labels, which are texts', () =>
    expect(header('labels: { team: shop, tier: 1, hot: true }')).toMatchObject({
      labels: { team: 'shop', tier: '1', hot: 'true' },
    }));

  it('warns when there is no id', () => {
    expect(problems('workflow: { version: 1 }\nnodes: { a: {} }')).toEqual(['1:1 warning missing_id']);
  });
});

describe('the settings', () => {
  const settings =
    'timeouts: { workflow_timeout: 2h, node_timeout: 30, approval_timeout: 1.5d }\npolicy: { blocked_tools: [x], require_approval_for: pay.* }\ntoken_budget: { total_tokens: 5 }\ncost_budget_usd: 0.5';
  const expected = {
    timeouts: { workflow_timeout: 7200, node_timeout: 30, approval_timeout: 129_600 },
    policy: { blocked_tools: ['x'], require_approval_for: ['pay.*'] },
    token_budget: { total_tokens: 5 },
    cost_budget_usd: 0.5,
  };

  it('may be at the top of the file', () =>
    expect(compiled(`workflow: { id: w }\n${settings}\nnodes: { a: {} }`)).toMatchObject(expected));

  it('may be in the header', () => {
    expect(compiled(`workflow:\n  id: w\n  ${settings.replaceAll('\n', '\n  ')}\nnodes: { a: {} }`)).toMatchObject(expected);
  });

  it('may not be in both', () => {
    expect(problems('workflow: { id: w, policy: {} }\npolicy: {}\nnodes: { a: {} }')).toEqual(['1:20 error given_twice']);
  });

  it('copy models, servers and remote agents', () => {
    const text =
      'workflow: { id: w }\nmodels: { m: { provider: p } }\nmcp: { servers: { s: { transport: stdio } } }\na2a: { remote_agents: { r: { url: u } } }\nnodes: { a: {} }';
    expect(compiled(text)).toMatchObject({
      models: { m: { provider: 'p' } },
      mcp_servers: { s: { transport: 'stdio' } },
      remote_agents: { r: { url: 'u' } },
    });
  });

  it('refuse an unknown policy rule', () => {
    expect(problems('workflow: { id: w }\npolicy:\n  blocked_tool: [x]\nnodes: { a: { policy: { allow: [y] } } }')).toEqual([
      '3:3 error unknown_policy_rule',
      '4:25 error unknown_policy_rule',
    ]);
  });

  it('refuse an invalid duration', () => {
    expect(
      problems('workflow: { id: w }\ntimeouts: { workflow_timeout: soon, node_timeout: 0 }\nnodes: { a: { timeout: -1 } }'),
    ).toEqual(['2:31 error wrong_type', '2:51 error wrong_type', '3:24 error wrong_type']);
  });

  it('say whether inputs must fit the state schema', () => {
    const text = 'workflow: { id: w, strict_input: true, state_schema: { n: int } }\nnodes: { a: {} }';
    expect(compiled(text)).toMatchObject({
      strict_input: true,
      state_schema: { type: 'object', properties: { n: { type: 'integer' } } },
    });
  });
});
