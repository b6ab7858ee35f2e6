import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../machines/ir/normalise.ts';
import type { JsonObject } from '../../machines/json.ts';
import { STRATEGIES } from '../../src/authoring/agents/strategies/index.ts';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { failureReasons } from '../../src/testing/report.ts';
import { examine } from '../testing/examine-file.ts';
import { problems } from './compile.ts';

function agent(strategy: string, config = '{}', iterations = 3): string {
  return `agent:
  id: a
  strategy: ${strategy}
  strategy_config: ${config}
  goal: "Explain {{ state.topic }}"
  model: m
  limits: { max_iterations: ${iterations}, max_cost_usd: 0.5, timeout_seconds: 90 }
`;
}

function document(text: string): JsonObject {
  const { document: found, diagnostics } = checkWorkflow(text, 'agent.yaml');
  expect(diagnostics).toEqual([]);
  if (found === null) throw new Error('a file without problems has a document');
  return found;
}

/** `from → to` of every edge. */
function edges(text: string): string[] {
  return (document(text).edges as readonly JsonObject[]).map(({ from, to }) => `${from} → ${to}`);
}

/** State keys of the answers, by node. */
function answers(text: string): Record<string, unknown> {
  const nodes = Object.values(document(text).nodes as JsonObject) as readonly JsonObject[];
  return Object.fromEntries(
    nodes.flatMap(({ id, kind }) => {
      const { type, output_schema } = kind as JsonObject;
      return type === 'model' ? [[String(id), output_schema]] : [];
    }),
  );
}

describe('an agent-first file', () => {
  it('compiles to a workflow with the limits, labels and metadata of its strategy', () => {
    expect(document(agent('critic', '{ max_rounds: 1 }'))).toMatchObject({
      workflow_id: 'a',
      version: '0.1.0',
      name: 'a',
      description: 'Explain {{ state.topic }}',
      start_node: '__draft__',
      timeouts: { workflow_timeout: 90, heartbeat_interval: 30 },
      labels: { 'jamjet.strategy': 'critic', 'jamjet.agent.id': 'a' },
      strategy_metadata: {
        strategy_name: 'critic',
        strategy_config: { max_rounds: 1 },
        limits: { max_iterations: 3, max_cost_usd: 0.5, timeout_seconds: 90 },
        agent_id: 'a',
      },
    });
  });

  it('limits the cost of an execution by the limit of the strategy, unless the workflow has a budget of its own', () => {
    const compiled = document(agent('react'));
    expect(normalise(compiled).workflow).toMatchObject({ cost_budget_usd: 0.5, strategy: { name: 'react', maxCostUsd: 0.5 } });
    expect(normalise({ ...compiled, cost_budget_usd: 2 }).workflow.cost_budget_usd).toBe(2);
    expect(document(`${agent('react')}cost_budget_usd: 3\npolicy: { model_allowlist: [m] }\n`)).toMatchObject({
      cost_budget_usd: 3,
      policy: { model_allowlist: ['m'] },
    });
  });

  it('marks every node with its part in the strategy, and asks again when a model fails', () => {
    const nodes = document(agent('react', '{}', 2)).nodes as JsonObject;
    expect(nodes.__think_1__).toMatchObject({
      retry_policy: 'llm_default',
      labels: {
        'jamjet.strategy.node': 'react_think',
        'jamjet.strategy.event': 'iteration_started',
        'jamjet.strategy.iteration': '1',
      },
    });
    expect(nodes.__react_guard_0__).toMatchObject({
      kind: {
        type: 'condition',
        branches: [
          { condition: 'state.__cost_exceeded__', target: '__limit_exceeded__' },
          { condition: null, target: '__observe_0__' },
        ],
      },
    });
    expect(nodes.__limit_exceeded__).toMatchObject({ kind: { type: 'limit_exceeded' } });
  });

  it('warns of tools, which only the prompts name', () => {
    const text = `${agent('react')}  tools: [search, { name: fetch, description: gets }]\n`;
    expect(problems(text)).toEqual(['8:11 warning tools_not_called']);
    expect(JSON.stringify(checkWorkflow(text, 'w').document?.nodes)).toContain('search, fetch');
  });

  it('warns of keys that mean nothing', () => {
    expect(problems(`${agent('react', '{ max_steps: 3 }')}  on_limit_exceeded: stop\nextra: 1\n`)).toEqual([
      '4:22 warning unknown_key',
      '8:3 warning unknown_key',
      '9:1 warning unknown_key',
    ]);
  });

  it('is refused with the position of everything that is missing or wrong', () => {
    expect(problems('agent:\n  id: a\n  goal: g\n')).toEqual([
      '1:1 error missing_key',
      '1:1 error missing_key',
      '1:1 error missing_key',
      '1:1 error missing_key',
      '1:1 error missing_key',
    ]);
    expect(problems(agent('reakt'))).toEqual(['3:13 error unknown_strategy']);
    expect(problems('agent: 5')).toEqual(['1:8 error wrong_type']);
    expect(problems(agent('critic', '{ pass_threshold: 2, max_rounds: 0 }'))).toEqual([
      '4:38 error wrong_type',
      '4:53 error wrong_type',
    ]);
    expect(problems(agent('consensus', '{ num_agents: 1.5, judge_model: [x] }'))).toEqual([
      '4:34 error wrong_type',
      '4:52 error wrong_type',
    ]);
    expect(problems(agent('react').replace('max_iterations: 3', 'max_iterations: 501'))).toEqual(['7:29 error wrong_type']);
    expect(problems(agent('react').replace('0.5', 'much').replace(': 90', ': soon'))).toEqual([
      '7:46 error wrong_type',
      '7:69 error wrong_type',
    ]);
    expect(problems(`${agent('react')}  tools: [{ description: d }]\n`)).toEqual(['8:11 error missing_key']);
  });

  it('may be as long as its limits allow', () => {
    for (const strategy of ['plan-and-execute', 'react', 'critic', 'reflection', 'consensus', 'debate'])
      document(agent(strategy, strategy === 'consensus' ? '{ num_agents: 500 }' : '{}', 500));
    document(agent('debate', '{ max_rounds: 500 }', 500));
  });
});

describe('the graph of a strategy', () => {
  it('plan-and-execute: a plan, its steps behind guards, and the final answer', () => {
    expect(edges(agent('plan-and-execute', '{}', 2))).toEqual([
      '__plan__ → __cost_guard_0__',
      '__cost_guard_0__ → __limit_exceeded__',
      '__cost_guard_0__ → __step_0__',
      '__step_0__ → __cost_guard_1__',
      '__cost_guard_1__ → __limit_exceeded__',
      '__cost_guard_1__ → __step_1__',
      '__step_1__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
    const verified = agent('plan-and-execute', '{ verifier_model: v }', 2);
    expect(edges(verified)).toContain('__step_0__ → __verify_0__');
    expect(edges(verified)).toContain('__verify_0__ → __cost_guard_1__');
    expect(edges(verified)).toContain('__verify_1__ → __finalize__');
    expect(answers(verified)).toEqual({
      __plan__: '__plan__',
      __step_0__: '__step_0_output__',
      __verify_0__: '__verify_0_result__',
      __step_1__: '__step_1_output__',
      __verify_1__: '__verify_1_result__',
      __finalize__: 'result',
    });
  });

  it('react: thoughts behind guards, with observations between them', () => {
    expect(edges(agent('react', '{}', 2))).toEqual([
      '__think_0__ → __react_guard_0__',
      '__react_guard_0__ → __limit_exceeded__',
      '__react_guard_0__ → __observe_0__',
      '__observe_0__ → __think_1__',
      '__think_1__ → __react_guard_1__',
      '__react_guard_1__ → __limit_exceeded__',
      '__react_guard_1__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
  });

  it('critic: a draft, and rounds of a judge, a gate and a revision', () => {
    const text = agent('critic', '{ critic_model: c, max_rounds: 2 }');
    expect(edges(text)).toEqual([
      '__draft__ → __critic_0__',
      '__critic_0__ → __critic_gate_0__',
      '__critic_gate_0__ → __finalize__',
      '__critic_gate_0__ → __revise_0__',
      '__revise_0__ → __critic_1__',
      '__critic_1__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
    expect(answers(text)).toMatchObject({ __draft__: '__draft_output__', __critic_0__: '__critic_0_verdict__' });
    expect(document(text).nodes).toMatchObject({ __critic_1__: { kind: { model_ref: 'c' } } });
  });

  it('reflection: the same with other names', () => {
    expect(edges(agent('reflection', '{ max_rounds: 2 }'))).toEqual([
      '__execute__ → __reflect_0__',
      '__reflect_0__ → __reflect_gate_0__',
      '__reflect_gate_0__ → __finalize__',
      '__reflect_gate_0__ → __revise_0__',
      '__revise_0__ → __reflect_1__',
      '__reflect_1__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
  });

  it('consensus: answers behind guards, a vote and a judge', () => {
    expect(edges(agent('consensus', '{ num_agents: 2, judge_model: j }'))).toEqual([
      '__agent_0__ → __cost_guard_0__',
      '__cost_guard_0__ → __limit_exceeded__',
      '__cost_guard_0__ → __agent_1__',
      '__agent_1__ → __vote__',
      '__vote__ → __judge__',
      '__judge__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
  });

  it('debate: a position that is challenged, judged, and defended behind a guard', () => {
    expect(edges(agent('debate', '{ max_rounds: 2 }'))).toEqual([
      '__propose__ → __counter_0__',
      '__counter_0__ → __judge_0__',
      '__judge_0__ → __judge_gate_0__',
      '__judge_gate_0__ → __finalize__',
      '__judge_gate_0__ → __cost_guard_0__',
      '__cost_guard_0__ → __limit_exceeded__',
      '__cost_guard_0__ → __respond_0__',
      '__respond_0__ → __counter_1__',
      '__counter_1__ → __judge_1__',
      '__judge_1__ → __finalize__',
      '__finalize__ → end',
      '__limit_exceeded__ → end',
    ]);
  });
});

describe('a strategy with scripted answers', () => {
  it.each([
    [
      'plan-and-execute',
      '{ verifier_model: v }',
      '',
      '__plan__, __cost_guard_0__, __step_0__, __verify_0__, __cost_guard_1__, __step_1__, __verify_1__',
    ],
    ['react', '{}', '', '__think_0__, __react_guard_0__, __observe_0__, __think_1__, __react_guard_1__'],
    ['critic', '{}', '__critic_0__: { passed: true }', '__draft__, __critic_0__, __critic_gate_0__'],
    ['critic', '{}', '__critic_0__: { passed: false }', '__draft__, __critic_0__, __critic_gate_0__, __revise_0__, __critic_1__'],
    [
      'reflection',
      '{}',
      '__reflect_0__: not JSON',
      '__execute__, __reflect_0__, __reflect_gate_0__, __revise_0__, __reflect_1__',
    ],
    ['consensus', '{ num_agents: 2 }', '', '__agent_0__, __cost_guard_0__, __agent_1__, __vote__, __judge__'],
    ['debate', '{}', '__judge_0__: { settled: true }', '__propose__, __counter_0__, __judge_0__, __judge_gate_0__'],
    [
      'debate',
      '{}',
      '__judge_0__: { settled: false }',
      '__propose__, __counter_0__, __judge_0__, __judge_gate_0__, __cost_guard_0__, __respond_0__, __counter_1__, __judge_1__',
    ],
  ])('%s %s %s completes with a result', (strategy, config, results, visited) => {
    const text = `${agent(strategy, config, 2)}tests:
  - results: { __finalize__: done${results === '' ? '' : `, ${results}`} }
    expect: { visited: [${visited}, __finalize__], state: { result: done } }
  - results: { ${visited.split(',')[0]}: { fail: no, retryable: false } }
    expect: { error: "no" }
`;
    const [{ tests, diagnostics }] = examine(text, 'agent.yaml', { paths: 10, steps: 10 }, () => 0);
    expect(diagnostics).toEqual([]);
    expect(tests.flatMap(failureReasons)).toEqual([]);
    expect(tests).toHaveLength(2);
  });

  it.each(['plan-and-execute', 'react', 'consensus'])(
    '%s ends as limit_exceeded when its cost has reached the limit',
    (strategy) => {
      const text = `${agent(strategy)}tests:
  - input: { __cost_exceeded__: true }
    expect: { status: limit_exceeded, not_visited: [__finalize__] }
`;
      const [{ tests }] = examine(text, 'agent.yaml', { paths: 10, steps: 10 }, () => 0);
      expect(tests.flatMap(failureReasons)).toEqual([]);
    },
  );
});

describe('docs/agents-with-a-strategy.md', () => {
  const snippets = [...readFileSync('docs/agents-with-a-strategy.md', 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    ([, text = '']) => text,
  );

  it('has files that are valid', () => {
    expect(snippets).toHaveLength(2);
    for (const text of snippets)
      expect(checkWorkflow(text, 'page.yaml').diagnostics.filter(({ code }) => code !== 'tools_not_called')).toEqual([]);
  });

  it('names every strategy', () => {
    for (const name of Object.keys(STRATEGIES))
      expect(readFileSync('docs/agents-with-a-strategy.md', 'utf8')).toContain(`| \`${name}\``);
  });
});
