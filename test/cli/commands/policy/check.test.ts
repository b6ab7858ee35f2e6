import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder, jamjet } from '../../terminal-session.ts';

const FLOW = `
workflow: { id: pay }
policy: { require_approval_for: ["payments.*"], model_allowlist: ["openai/gpt-4o*"] }
nodes:
  think: { type: model, model: gpt-4o-mini, prompt: Hello, next: pay }
  pay: { type: tool, tool: payments.submit, next: choose }
  choose:
    type: condition
    conditions: [{ if: state.again, next: remove }]
    default: loop
  remove: { type: tool, tool: files.remove, policy: { blocked_tools: ["*.remove"] } }
  loop: { type: python_fn, module: jamjet.agents.tool_runtime, function: dispatch_tool_calls, next: end }
`;

describe('jamjet policy check', () => {
  function checked(args: readonly string[], flow = FLOW) {
    return inFolder((folder) => {
      writeFileSync(join(folder, 'pay.yaml'), flow);
      writeFileSync(join(folder, 'tenant.json'), '{"blocked_tools":["payments.*","jamjet.*"],"model_allowlist":["anthropic/*"]}');
      writeFileSync(join(folder, 'bad.json'), '{"blocked_tools":"payments.*"}');
      return jamjet(['policy', 'check', 'pay.yaml', ...args], { cwd: folder });
    });
  }

  it('shows what decides about each node, and fails if one is blocked', async () => {
    const { code, stdout } = await checked([]);
    expect(code).toBe(1);
    expect(stdout).toBe(`pay
node    kind       decision  policy    rule                              names
think   model      allow     workflow  model_allowlist: openai/gpt-4o*   gpt-4o-mini, openai/gpt-4o-mini
pay     tool       approval  workflow  require_approval_for: payments.*  payments.submit
choose  condition  allow
remove  tool       block     node      blocked_tools: *.remove           files.remove
loop    python_fn  allow                                                 jamjet.agents.tool_runtime.dispatch_tool_calls, dispatch_tool_calls, each tool that the model asks for
3 nodes allowed, 1 need approval, 1 blocked
`);
  });

  it('adds the policy of a tenant, and prints JSON', async () => {
    const { code, stdout } = await checked(['--tenant-policy', 'tenant.json', '--output', 'json']);
    expect(code).toBe(1);
    const [{ nodes }] = JSON.parse(stdout);
    const decided = nodes.map(({ node_id, decision, scope }: Record<string, string>) => `${node_id} ${decision} ${scope}`);
    expect(decided).toEqual([
      'think block tenant',
      'pay require_approval workflow',
      'choose allow null',
      'remove block node',
      'loop block tenant',
    ]);
    expect(nodes[0]).toMatchObject({ name: 'gpt-4o-mini', rule: 'model_allowlist', glob: null });
  });

  it('succeeds if nothing is blocked', async () => {
    const { code, stdout } = await checked([], 'workflow: { id: a }\nnodes:\n  a: { type: tool }\n');
    expect([code, stdout]).toEqual([
      0,
      'a\nnode  kind  decision  policy  rule  names\na     tool  allow                   a\n1 node allowed, 0 need approval, 0 blocked\n',
    ]);
  });

  it.each<[string[], number, string]>([
    [['--output', 'xml'], 2, '--output must be text or json'],
    [['--tenant-policy', 'bad.json'], 2, '--tenant-policy: blocked_tools must be a list of texts'],
    [['--tenant-policy', 'missing.json'], 2, 'missing.json'],
  ])('%j is refused', async (args, code, message) => {
    const { stderr, code: got } = await checked(args);
    expect([got, stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  it('prints the problems of a file that is not valid', async () => {
    const { code, stderr } = await checked([], 'workflow: { id: a }\nnodes:\n  a: { type: tool, next: b }\n');
    expect([code, stderr]).toEqual([1, expect.stringContaining('pay.yaml:3:')]);
  });
});
