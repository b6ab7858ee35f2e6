import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examine, examined, found, paths } from './examine-file.ts';

const NOTHING_MISSING = { nodes: { missing: [] }, branches: { missing: [] }, paths: { missing: [] }, percent: 100 };

describe('an agent in a workflow file', () => {
  const HELPER = `
  helper:
    type: agent
    model: gpt-4o
    prompt: "{{ state.question }}"
    tools: [find_order, refund]
    parallel_tool_calls: 2
    output_key: answer
    next: thank
  thank: { type: tool, ref: thank }`;

  it('is one node: neither its loop nor its tool calls are uncovered, or warned of', () => {
    const examination = examined(HELPER, '  - { name: answers, input: { question: x }, expect: { status: completed } }');
    expect(examination.coverage).toMatchObject({ ...NOTHING_MISSING, nodes: { covered: 2, total: 2, missing: [] } });
    expect(found(examination)).toEqual([]);
    expect(paths(examination)).toEqual(['helper [else] → thank → completed']);
    const places = examination.findings.map(({ node_id }) => node_id);
    expect(places).toEqual(['helper', 'thank']);
    expect(examined(HELPER).coverage?.nodes.missing).toEqual(['helper', 'thank']);
  });

  it('has the loop of the workflow reported, if there is one', () => {
    const more = 'more: { type: condition, branches: [{ condition: state.more, target: helper }, { target: end }] }';
    const again = HELPER.replace('thank: { type: tool, ref: thank }', `thank: { type: tool, ref: thank, next: more }\n  ${more}`);
    expect(found(examined(again))).toContainEqual('info loop_without_bound helper');
  });

  it('has each of its handoffs explored and counted, by the name of the other agent', () => {
    const examination = examined(`
  triage: { type: agent, model: m, prompt: p, tools: [look], handoff: [billing] }
  billing: { type: agent, model: m, prompt: p, tools: [look], handoff: [triage] }`);
    expect(found(examination)).toEqual([]);
    expect(examination.coverage).toMatchObject({
      nodes: { missing: ['triage', 'billing'] },
      branches: {
        missing: ['triage (hands over to billing)', 'triage [else]', 'billing (hands over to triage)', 'billing [else]'],
      },
    });
    expect(paths(examination).slice(0, 2)).toEqual([
      'triage [else] → completed',
      'triage (hands over to billing) → billing [else] → completed',
    ]);
  });

  it('leads to others through a node that is none of the workflow', () => {
    const others = ['a', 'b', 'c'].map((id, _, all) => {
      const rest = all.filter((other) => other !== id).join(', ');
      return `\n  ${id}: { type: agent, model: m, prompt: p, handoff: [${rest}] }`;
    });
    const examination = examined(others.join(''));
    expect(found(examination)).toEqual([]);
    expect(examination.coverage?.nodes.missing).toEqual(['a', 'b', 'c']);
  });
});

describe('an agent with a strategy', () => {
  it('has nothing to cover: its author has written none of its nodes', () => {
    const text = readFileSync('test/runtime/foreign/recipe.agent.yaml', 'utf8');
    const [examination] = examine(text, 'recipe.agent.yaml', { paths: 100, steps: 1_000 }, () => 0);
    expect(examination?.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(examination?.coverage).toMatchObject({ ...NOTHING_MISSING, nodes: { total: 0, missing: [] } });
    expect(examination?.findings.filter(({ code }) => code === 'loop_without_bound')).toEqual([]);
  });
});
