import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type PolicySubject, type PolicyVerdict, tenantVerdict } from '../../../machines/policy.ts';
import type { TenantPolicy } from '../../../machines/run.ts';
import { approvalsOf, save, terminalFailures } from '../../../machines/step/index.ts';
import { actorStepper } from '../../support/actor-stepper.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { hasEnded, randomMove } from '../../support/lockstep.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import { documents, retried, subgraph, tool, workflow } from '../../support/workflows.ts';

type Rules = Partial<Record<'blocked_tools' | 'require_approval_for' | 'model_allowlist', string[]>>;

const REPLAY_ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
const NO_RULES = { blocked_tools: [], require_approval_for: [], model_allowlist: [] };

function tenant(rules: Rules): TenantPolicy {
  return {
    verdict: (_node: string, subject: PolicySubject, narrower: PolicyVerdict | null) =>
      tenantVerdict({ ...NO_RULES, ...rules }, subject, narrower),
  };
}

function expectReplays(driver: Driver): void {
  for (const { seq, text } of driver.saves)
    expect(save(replay(driver.program, null, driver.log.slice(0, seq), REPLAY_ENV))).toBe(text);
}

const once = (id: string, more: JsonObject = {}) => ({ ...retried(id, 'once', { tool_ref: `t.${id}` }), ...more });

describe("a tenant's policy", () => {
  it('blocks a tool at once and for good', () => {
    const driver = new Driver(workflow([retried('pay', 'twice', { tool_ref: 'payments.submit' })]), {
      env: { tenantPolicy: tenant({ blocked_tools: ['payments.*'] }) },
    });
    expect(driver.events).toEqual(['workflow_started', 'policy_violation:pay', 'node_failed:pay', 'workflow_failed']);
    expect(driver.all('policy_violation')[0]?.data).toEqual({
      rule: 'payments.submit',
      decision: 'blocked',
      policy_scope: 'tenant',
      activation: 1,
      matched: 'blocked_tools: payments.*',
    });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({
      error: 'blocked by policy: payments.submit',
      retryable: false,
      error_class: 'policy_violation',
    });
    expectReplays(driver);
  });

  it('holds a tool until a person decides; approved, it runs although the policy still requires approval', () => {
    const driver = new Driver(workflow([retried('pay', 'at_once'), tool('ship')], [['pay', 'ship']]), {
      env: { tenantPolicy: tenant({ require_approval_for: ['t.pay'] }) },
    });
    expect(driver.events).toEqual(['workflow_started', 'tool_approval_required:pay']);
    expect(driver.all('tool_approval_required')[0]?.data).toMatchObject({ tool_name: 't.pay', policy_scope: 'tenant' });
    expect(driver.run.status).toBe('running');
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      { node_id: 'pay', kind: 'tool', tool_name: 't.pay', context: { node_id: 'pay' }, sequence: 2 },
    ]);
    driver.reload();
    driver.decide('pay', 'approved', { limit: 5 });
    expect(driver.events).toEqual(['approval_received:pay', 'node_scheduled:pay']);
    driver.fail('pay');
    expect(driver.active).toMatchObject([{ node: 'pay', phase: 'queued', attempt: 1 }]);
    driver.done('pay', {});
    expect(driver.activeNodes).toEqual(['ship']);
    expect(driver.state).toMatchObject({ limit: 5 });
    expectReplays(driver);
  });

  it('fails a rejected tool, and its fallback applies', () => {
    const pay = retried('pay', 'at_once', { tool_ref: 't.pay', fallback_node: 'ask' });
    const driver = new Driver(workflow([pay, tool('ask')]), {
      env: { tenantPolicy: tenant({ require_approval_for: ['t.pay'] }) },
    });
    driver.decide('pay', 'rejected');
    expect(driver.events.slice(0, 2)).toEqual(['approval_received:pay', 'node_failed:pay']);
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann', retryable: false });
    expect(driver.activeNodes).toEqual(['ask']);
    expectReplays(driver);
  });

  it('that has changed holds for the next attempt', () => {
    const driver = new Driver(workflow([retried('a', 'twice')]));
    driver.fail('a');
    driver.env = { ...driver.env, tenantPolicy: tenant({ require_approval_for: ['*'] }) };
    driver.fire('a');
    expect(driver.events).toEqual(['tool_approval_required:a']);
    expect(driver.active).toMatchObject([{ node: 'a', attempt: 1, phase: 'awaiting_approval' }]);
    driver.decide('a', 'approved');
    driver.done('a');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('is asked last: what the policy of the node or workflow decides stands', () => {
    const held = new Driver(workflow([once('a', { policy: { require_approval_for: ['t.*'] } })]), {
      env: { tenantPolicy: tenant({ blocked_tools: ['*'] }) },
    });
    expect(held.events).toEqual(['workflow_started', 'tool_approval_required:a']);
    held.decide('a', 'approved');
    expect(held.events).toEqual(['approval_received:a', 'node_scheduled:a']);
    expectReplays(held);
  });

  it('limits models even if the workflow allows them', () => {
    const model = { id: 'ask', kind: { type: 'model', model_ref: 'openai/gpt-4o', prompt_ref: 'Hello' } };
    const driver = new Driver(workflow([model], [], { policy: { model_allowlist: ['*'] } } as never), {
      env: { tenantPolicy: tenant({ model_allowlist: ['anthropic/*'] }) },
    });
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ rule: 'openai/gpt-4o', policy_scope: 'tenant' });
    expectReplays(driver);
  });

  it('holds child executions, and work that is handed back by a stop', () => {
    const driver = new Driver(workflow([subgraph('sub')]), {
      env: { isLocal: () => true, tenantPolicy: tenant({ require_approval_for: ['*'] }) },
    });
    driver.decide('sub', 'approved');
    expect(driver.last.effects).toMatchObject([{ type: 'spawn', node: 'sub', attempt: 0 }]);
    driver.send({ type: 'requeue', ...driver.visit('sub') });
    expect(driver.events).toEqual(['node_started:sub']);
    expectReplays(driver);
  });

  it.each([
    ['holds', { require_approval_for: ['*'] }, ['tool_approval_required:a']],
    ['stops', { blocked_tools: ['*'] }, ['policy_violation:a', 'node_failed:a', 'workflow_failed']],
  ])('%s what a runtime takes from the queue once the policy says so', (_, policy, events) => {
    const driver = new Driver(workflow([once('a')]));
    driver.env = { ...driver.env, isLocal: () => true, tenantPolicy: tenant(policy) };
    driver.send({ type: 'requeue', ...driver.visit('a'), queued: true });
    expect(driver.events).toEqual(events);
    expectReplays(driver);
  });

  it('defers a node that is approved while the execution is suspended', () => {
    const driver = new Driver(workflow([once('a')]), { env: { tenantPolicy: tenant({ require_approval_for: ['*'] }) } });
    driver.pause();
    driver.decide('a', 'approved');
    expect(driver.events).toEqual(['approval_received:a']);
    expect(driver.active).toMatchObject([{ phase: 'deferred' }]);
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:a']);
    expectReplays(driver);
  });

  it('lets a retry continue at what it had blocked, once it no longer does', () => {
    const driver = new Driver(
      workflow(
        [tool('a'), once('b'), tool('c')],
        [
          ['a', 'b'],
          ['b', 'c'],
        ],
      ),
    );
    driver.env = { ...driver.env, tenantPolicy: tenant({ blocked_tools: ['t.b'] }) };
    driver.done('a', { x: 1 });
    expect(driver.run.status).toBe('failed');
    driver.env = { ...driver.env, tenantPolicy: null };
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:b']);
    driver.done('b', {});
    driver.done('c', {});
    expect(driver.run.status).toBe('completed');
    expect(save(replay(driver.program, null, driver.log, REPLAY_ENV))).toBe(save(driver.run));
  });

  it('that changes at any time replays from the log, and moves the machine as XState does', () => {
    const policies = [
      null,
      tenant({ require_approval_for: ['*'] }),
      tenant({ blocked_tools: ['*1', '*2', '*3'] }),
      tenant({ require_approval_for: ['*2', '*4'], blocked_tools: ['*5'] }),
    ];
    let held = 0;
    let blocked = 0;
    let retries = 0;
    const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const made = normalise(json).workflow;
        fc.pre(analyse(made).graph !== null);
        const env = { stepLimit: 500, tenantPolicy: policies[rolls.length % policies.length] ?? null };
        const ours = new Driver(made, { env });
        const theirs = new Driver(made, { env, stepper: actorStepper });
        for (const roll of rolls) {
          for (const driver of [ours, theirs]) {
            driver.env = { ...driver.env, tenantPolicy: policies[roll % policies.length] ?? null };
            if (!hasEnded(driver)) randomMove(driver, roll);
            else if (terminalFailures(driver.run).length > 0 && roll % 3 === 0) {
              driver.retry();
              if (driver === ours) retries += 1;
            }
          }
          expect(theirs.last.events).toEqual(ours.last.events);
          expect(save(theirs.run)).toBe(save(ours.run));
        }
        held += ours.all('tool_approval_required').filter(({ data }) => data.policy_scope === 'tenant').length;
        blocked += ours.all('policy_violation').filter(({ data }) => data.policy_scope === 'tenant').length;
        const retried = ours.all('workflow_retried').length > 0;
        for (const { seq, text } of retried ? ours.saves.slice(-1) : ours.saves)
          expect(save(replay(ours.program, null, ours.log.slice(0, seq), REPLAY_ENV))).toBe(text);
      }),
      { numRuns: sampleOf(300, 100) },
    );
    expect(Math.min(held, blocked, retries)).toBeGreaterThanOrEqual(oftenIn(20));
  });
});

describe('a tool call of an agent', () => {
  const agent = (policy: Rules, more: JsonObject = {}) => {
    const tools = ['search', { name: 'pay', tool: 'bank.pay' }];
    const kind = { type: 'agent', model_ref: 'gpt-4o', prompt: 'go', tools, ...more };
    return workflow([{ id: 'helper', kind }], [], { policy } as never);
  };
  const asking = (...calls: JsonObject[]) => ({ patch: { helper_conversation: { messages: [], calls, waiting: [] } } });
  const pay = (sum: Json): JsonObject => ({ id: `call_${JSON.stringify(sum).length}`, name: 'pay', arguments: { sum } });
  const shown = (driver: Driver) => approvalsOf(driver.program, driver.run).map(({ tool_name, context }) => [tool_name, context]);

  it('is shown with its arguments while a policy holds it', () => {
    const driver = new Driver(agent({ require_approval_for: ['bank.*'] }));
    driver.done('helper', '', asking(pay(900)));
    const context = { node_id: 'helper.pay', calls: [{ name: 'pay', arguments: { sum: 900 } }] };
    expect(driver.all('tool_approval_required')[0]?.data).toMatchObject({ tool_name: 'bank.pay', context });
    expect(shown(driver)).toEqual([['bank.pay', context]]);
    driver.reload();
    expect(shown(driver)).toEqual([['bank.pay', context]]);
    driver.decide('helper.pay', 'approved');
    expect(driver.events).toEqual(['approval_received:helper.pay', 'node_scheduled:helper.pay']);
    driver.done('helper.pay', {});
    // Each call asks again, and what was approved before is not shown.
    driver.done('helper', '', asking(pay(7)));
    expect(shown(driver)).toEqual([['bank.pay', { node_id: 'helper.pay', calls: [{ name: 'pay', arguments: { sum: 7 } }] }]]);
    driver.decide('helper.pay', 'rejected');
    expect(driver.activeNodes).toEqual(['helper']);
    expectReplays(driver);
  });

  it('is shown alone, beside others at the same time', () => {
    const driver = new Driver(agent({ require_approval_for: ['bank.*'] }, { parallel_tool_calls: 3 }));
    driver.done('helper', '', asking(pay(1), { id: 's', name: 'search', arguments: { text: 'x' } }, pay(2)));
    expect(shown(driver)).toEqual([
      ['bank.pay', { node_id: 'helper.pay1', calls: [{ name: 'pay', arguments: { sum: 1 } }] }],
      ['bank.pay', { node_id: 'helper.pay3', calls: [{ name: 'pay', arguments: { sum: 2 } }] }],
    ]);
    expectReplays(driver);
  });

  it('is shown while the policy of the tenant holds it', () => {
    const driver = new Driver(agent({}), { env: { tenantPolicy: tenant({ require_approval_for: ['bank.*'] }) } });
    driver.done('helper', '', asking(pay(900)));
    expect(shown(driver)).toEqual([['bank.pay', { node_id: 'helper.pay', calls: [{ name: 'pay', arguments: { sum: 900 } }] }]]);
    driver.decide('helper.pay', 'approved');
    expect(driver.activeNodes).toEqual(['helper.pay']);
    expectReplays(driver);
  });

  it('is shown by its name only if its arguments are large', () => {
    const driver = new Driver(agent({ require_approval_for: ['bank.*'] }));
    driver.done('helper', '', asking(pay('x'.repeat(10_000))));
    expect(shown(driver)).toEqual([['bank.pay', { node_id: 'helper.pay', calls: [{ name: 'pay' }] }]]);
    expectReplays(driver);
  });
});

describe('the tools that an agent loop is about to call', () => {
  const calls = [
    { id: '1', name: 'search', arguments: { query: 'x' } },
    { id: '2', name: 'charge_card', arguments: { amount: 900 } },
  ];
  const dispatch = { type: 'python_fn', module: 'jamjet.agents.tool_runtime', function: 'dispatch_tool_calls' };
  const loop = (policy: Rules) =>
    workflow([tool('model'), { id: 'tools', kind: dispatch, retry_policy: 'once' }], [['model', 'tools']], { policy } as never);
  const asked = (policy: Rules, tenantRules?: Rules): Driver => {
    const env = tenantRules === undefined ? {} : { tenantPolicy: tenant(tenantRules) };
    const driver = new Driver(loop(policy), { env });
    if (driver.active[0]?.phase === 'awaiting_approval') driver.decide('model', 'approved');
    driver.done('model', {}, { patch: { last_model_tool_calls: calls } });
    return driver;
  };

  it('are held by their names, and shown with their arguments', () => {
    const driver = asked({ require_approval_for: ['charge_*'] });
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      {
        node_id: 'tools',
        kind: 'tool',
        tool_name: 'charge_card',
        context: {
          node_id: 'tools',
          calls: [
            { name: 'search', arguments: { query: 'x' } },
            { name: 'charge_card', arguments: { amount: 900 } },
          ],
        },
      },
    ]);
    driver.decide('tools', 'approved');
    expect(driver.events).toEqual(['approval_received:tools', 'node_scheduled:tools']);
    expectReplays(driver);
  });

  it('are held by ["*"], each loop by its first tool', () => {
    const driver = asked({ require_approval_for: ['*'] });
    expect(driver.all('tool_approval_required').at(-1)?.data).toMatchObject({ tool_name: 'search' });
    driver.decide('tools', 'rejected');
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann' });
    expectReplays(driver);
  });

  it.each<[string, Rules, Rules?]>([
    ['of the workflow', { blocked_tools: ['charge_*'] }],
    ['of the workflow, though others need approval', { blocked_tools: ['charge_*'], require_approval_for: ['*'] }],
    ['of the tenant', {}, { blocked_tools: ['charge_*'] }],
  ])('are blocked by a policy %s', (_, policy, tenantRules) => {
    const driver = asked(policy, tenantRules);
    expect(driver.events.slice(-3)).toEqual(['policy_violation:tools', 'node_failed:tools', 'workflow_failed']);
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ rule: 'charge_card' });
    expectReplays(driver);
  });

  it('run if no policy names them', () => {
    expect(asked({ blocked_tools: ['delete_*'], require_approval_for: ['pay'] }).events).toContain('node_scheduled:tools');
  });
});

describe('names that hold templates', () => {
  const chosen = {
    id: 'ask',
    kind: { type: 'agent_tool', agent: '{{ state.agent }}', output_key: 'answer' },
    retry_policy: 'once',
  };
  const asked = (agent: string, policy: Rules, tenantRules?: Rules): Driver =>
    new Driver(workflow([chosen], [], { policy } as never), {
      input: { agent },
      env: tenantRules === undefined ? {} : { tenantPolicy: tenant(tenantRules) },
    });

  it.each<[string, Rules, Rules?]>([
    ['of the workflow', { blocked_tools: ['https://evil.*'] }],
    ['of the workflow, though others need approval', { blocked_tools: ['https://evil.*'], require_approval_for: ['*'] }],
    ['of the tenant', {}, { blocked_tools: ['https://evil.*'] }],
  ])('are blocked as they are rendered, by a policy %s', (_, policy, tenantRules) => {
    const driver = asked('https://evil.example/a', policy, tenantRules);
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ rule: 'https://evil.example/a' });
    expect(driver.run.status).toBe('failed');
    expectReplays(driver);
  });

  it('are held as they are rendered', () => {
    const driver = asked('https://good.example/a', { require_approval_for: ['https://good.*'] });
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      { tool_name: 'https://good.example/a', context: { node_id: 'ask' } },
    ]);
    driver.decide('ask', 'approved');
    expect(driver.events).toEqual(['approval_received:ask', 'node_scheduled:ask']);
    expectReplays(driver);
    expect(asked('https://good.example/a', { blocked_tools: ['https://evil.*'] }).events.at(-1)).toBe('node_scheduled:ask');
  });
});
