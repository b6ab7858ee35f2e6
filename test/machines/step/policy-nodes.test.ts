import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type PolicySubject, type PolicyVerdict, tenantVerdict } from '../../../machines/policy.ts';
import type { TenantPolicy } from '../../../machines/run.ts';
import { approvalsOf, save } from '../../../machines/step/index.ts';
import { validate } from '../../../machines/validate/index.ts';
import { actorStepper } from '../../support/actor-stepper.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { hasEnded, randomMove } from '../../support/lockstep.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import { condition, documents, parallel, retried, workflow } from '../../support/workflows.ts';

const REPLAY_ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
const policies = {
  strict: { blocked_tools: ['shell.*', 't.drop'], require_approval_for: ['t.pay'] },
  models: { model_allowlist: ['anthropic/*'] },
};
const once = (id: string, more: JsonObject = {}) => retried(id, 'once', { tool_ref: `t.${id}`, ...more });
const ask = (kind: JsonObject = {}) => ({ id: 'ask', kind: { type: 'policy', policy_ref: 'strict', ...kind } });
const made = (...args: Parameters<typeof workflow>) => workflow(args[0], args[1], { policies, ...args[2] } as never);
const start = (kind: JsonObject, input: JsonObject = {}, edges: Parameters<typeof workflow>[1] = [['ask', 'next']]) =>
  new Driver(made([ask(kind), once('next'), once('other')], edges), { input });

function expectReplays(driver: Driver): void {
  for (const { seq, text } of driver.saves)
    expect(save(replay(driver.program, null, driver.log.slice(0, seq), REPLAY_ENV))).toBe(text);
}

function tenant(rules: JsonObject): TenantPolicy {
  const policy = { blocked_tools: [], require_approval_for: [], model_allowlist: [], ...rules } as never;
  return {
    verdict: (_node: string, subject: PolicySubject, narrower: PolicyVerdict | null) => tenantVerdict(policy, subject, narrower),
  };
}

describe('a policy node', () => {
  it('allows what its policy says nothing about, within the step that reaches it', () => {
    const driver = start({ subject: 'mail.send' });
    expect(driver.events).toEqual(['workflow_started', 'node_completed:ask', 'node_scheduled:next']);
    expect(driver.last.events[1]?.data).toMatchObject({
      output: { decision: 'allow', rule: null, subject: 'mail.send' },
      taken: ['next'],
    });
    expect(driver.state).toEqual({ ask: { decision: 'allow', subject: 'mail.send' } });
    expectReplays(driver);
  });

  it('fails when what it judges is blocked, and its fallback applies', () => {
    const driver = start({ subject: '{{ state.tool }}' }, { tool: 'shell.run' });
    expect(driver.events).toEqual(['workflow_started', 'policy_violation:ask', 'node_failed:ask', 'workflow_failed']);
    expect(driver.all('policy_violation')[0]?.data).toEqual({
      rule: 'shell.run',
      decision: 'blocked',
      policy_scope: 'workflow',
      activation: 1,
      matched: 'blocked_tools: shell.*',
    });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({
      error: 'blocked by policy: shell.run',
      error_class: 'policy_violation',
      retryable: false,
    });
    expectReplays(driver);
    const handled = start({ subject: 'shell.run', fallback_node: 'other' });
    expect(handled.activeNodes).toEqual(['other']);
    expectReplays(handled);
  });

  it.each<[string, JsonObject, Parameters<typeof workflow>[1]]>([
    ['on_blocked', { on_blocked: 'other' }, [['ask', 'next']]],
    ['a branch of on_violation', { on_violation: { branch: { target: 'other' } } }, [['ask', 'next']]],
    [
      'a conditional edge',
      {},
      [
        ['ask', 'other', "output.decision == 'block'"],
        ['ask', 'next'],
      ],
    ],
  ])('routes a block by %s', (_, kind, edges) => {
    const driver = start({ subject: ['mail.send', 't.drop'], ...kind }, {}, edges);
    expect(driver.activeNodes).toEqual(['other']);
    expect(driver.all('node_completed')[0]?.data).toMatchObject({
      output: { decision: 'block', rule: 'blocked_tools: t.drop', subject: 't.drop' },
      taken: ['other'],
    });
    expectReplays(driver);
  });

  it('routes a block by a condition node after it', () => {
    const driver = new Driver(
      made(
        [
          ask({ subject: 't.drop' }),
          condition('c', ["output.decision == 'block'", 'other'], [null, 'next']),
          once('next'),
          once('other'),
        ],
        [['ask', 'c']],
      ),
    );
    expect(driver.activeNodes).toEqual(['other']);
    expectReplays(driver);
  });

  it('logs a block and goes on if it only warns', () => {
    const driver = start({ subject: 't.drop', on_violation: 'warn' });
    expect(driver.events).toEqual(['workflow_started', 'policy_violation:ask', 'node_completed:ask', 'node_scheduled:next']);
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ decision: 'warned' });
    expectReplays(driver);
  });

  it('is held like a tool when what it judges requires an approval', () => {
    const driver = start({ subject: 't.pay', output_key: 'verdict' });
    expect(driver.events).toEqual(['workflow_started', 'tool_approval_required:ask']);
    expect(driver.run.status).toBe('running');
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([{ node_id: 'ask', kind: 'tool', tool_name: 't.pay' }]);
    driver.reload();
    driver.decide('ask', 'approved');
    expect(driver.events).toEqual(['approval_received:ask', 'node_completed:ask', 'node_scheduled:next']);
    expect(driver.state.verdict).toEqual({
      decision: 'require_approval',
      rule: 'require_approval_for: t.pay',
      subject: 't.pay',
      approved: true,
      user_id: 'ann',
    });
    expectReplays(driver);
    const rejected = start({ subject: 't.pay' });
    rejected.decide('ask', 'rejected');
    expect(rejected.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann' });
    expectReplays(rejected);
  });

  it('judges the nodes that it leads to, also through control nodes, unless it names a subject', () => {
    const driver = new Driver(
      made(
        [ask({ on_blocked: 'drop' }), parallel('p', ['mail', 'pay']), once('mail'), once('pay'), once('drop')],
        [['ask', 'p']],
      ),
    );
    expect(driver.all('tool_approval_required')[0]?.data).toMatchObject({ tool_name: 't.pay' });
    expectReplays(driver);
  });

  it('judges a model by the allowlist', () => {
    const driver = start({ policy_ref: 'models', model: 'gpt-4o' });
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ rule: 'gpt-4o', matched: 'model_allowlist' });
    expect(start({ policy_ref: 'models', model: '{{ state.m }}' }, { m: 'claude-sonnet-4-5' }).activeNodes).toEqual(['next']);
    expectReplays(driver);
  });

  it("asks the tenant's policy, whose decision a replay takes from the log", () => {
    const rules = { blocked_tools: ['*.drop'], require_approval_for: ['t.pay'] };
    const nodes = [
      ask({ policy_ref: 'tenant', subject: '{{ state.tool }}', on_blocked: 'other' }),
      { id: 'next', kind: { type: 'wait', correlation_key: 'go' } },
      { id: 'other', kind: { type: 'wait', correlation_key: 'go' } },
    ];
    const loop = made(nodes, [
      ['ask', 'next'],
      ['next', 'ask', 'true'],
      ['other', 'ask', 'true'],
    ]);
    const driver = new Driver(loop, { input: { tool: 't.mail' }, env: { tenantPolicy: tenant(rules) } });
    for (const tool of ['t.drop', 't.mail', 't.pay', 't.mail']) {
      driver.event('go', { tool });
      if (tool === 't.pay') driver.decide('ask', 'approved');
    }
    expect(driver.all('node_completed').flatMap(({ node_id, data }) => (node_id === 'ask' ? [data.output] : []))).toMatchObject([
      { decision: 'allow', subject: 't.mail' },
      { decision: 'block', rule: 'blocked_tools: *.drop', subject: 't.drop' },
      { decision: 'allow' },
      { decision: 'require_approval', rule: 'require_approval_for: t.pay' },
      { decision: 'allow' },
    ]);
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({ policy_scope: 'tenant' });
    expectReplays(driver);
  });

  it('is judged again by a retry', () => {
    const driver = new Driver(made([ask({ policy_ref: 'tenant', subject: 't.drop' }), once('next')], [['ask', 'next']]), {
      env: { tenantPolicy: tenant({ blocked_tools: ['t.drop'] }) },
    });
    expect(driver.run.status).toBe('failed');
    driver.env = { ...driver.env, tenantPolicy: null };
    driver.retry();
    expect(driver.activeNodes).toEqual(['next']);
    expect(save(replay(driver.program, null, driver.log, REPLAY_ENV))).toBe(save(driver.run));
  });
});

describe('policy nodes in any workflow', () => {
  it('replay from the log, and move the machine as XState does', () => {
    const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 40 });
    const rules = [null, tenant({ require_approval_for: ['*1', '*4'] }), tenant({ blocked_tools: ['*2', '*3'] })];
    const decided: Record<string, number> = {};
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const { nodes, ...rest } = json as { nodes: JsonObject[] };
        const policy = (node: JsonObject, i: number): JsonObject => {
          const { type } = node.kind as JsonObject;
          if (type !== 'tool' || i % 2 === 1) return node;
          const kind = { type: 'policy', policy_ref: i % 4 === 0 ? 'tenant' : 'strict', subject: [`t.${i}`, `t.${(i + 1) % 5}`] };
          return { id: node.id ?? '', kind: { ...kind, ...(i % 3 === 0 ? { on_violation: 'warn' } : {}) } };
        };
        const strict = { blocked_tools: ['t.2'], require_approval_for: ['t.3'] };
        const document = normalise({ ...rest, policies: { strict }, nodes: nodes.map(policy) }).workflow;
        fc.pre(analyse(document).graph !== null);
        const ours = new Driver(document, { env: { stepLimit: 300, tenantPolicy: rules[rolls.length % rules.length] ?? null } });
        const theirs = new Driver(document, { env: ours.env, stepper: actorStepper });
        for (const roll of rolls) {
          for (const driver of [ours, theirs]) {
            driver.env = { ...driver.env, tenantPolicy: rules[roll % rules.length] ?? null };
            if (!hasEnded(driver)) randomMove(driver, roll);
          }
          expect(theirs.last.events).toEqual(ours.last.events);
          expect(theirs.last.effects).toEqual(ours.last.effects);
          expect(save(theirs.run)).toBe(save(ours.run));
        }
        for (const { node_id, data } of ours.all('node_completed')) {
          const output = data.output as JsonObject | null;
          if (document.nodes.some(({ id, kind }) => id === node_id && kind.type === 'policy'))
            decided[String(output?.decision)] = (decided[String(output?.decision)] ?? 0) + 1;
        }
        expectReplays(ours);
      }),
      { numRuns: sampleOf(300, 100) },
    );
    expect(Math.min(decided.allow ?? 0, decided.block ?? 0, decided.require_approval ?? 0)).toBeGreaterThanOrEqual(oftenIn(9));
  });
});

describe('a policy node in a document', () => {
  const problems = (kind: JsonObject, edges: JsonObject[] = []) =>
    validate({ workflow_id: 'w', version: '1', policies, nodes: { ask: { kind: { type: 'policy', ...kind } } }, edges })
      .diagnostics.filter(({ severity }) => severity === 'error')
      .map(({ code, hint }) => [code, hint]);

  it.each<[JsonObject, (string | null)[][]]>([
    [{ policy_ref: 'strict' }, []],
    [{ policy_ref: 'tenant' }, []],
    [{ policy_ref: 'strikt' }, [['unknown_policy', 'did you mean "strict"?']]],
    [{}, [['missing_key', null]]],
    [{ policy_ref: 'strict', on_violation: 'ignore' }, [['wrong_type', null]]],
    [{ policy_ref: 'strict', subject: 5 }, [['wrong_type', null]]],
  ])('%j has the problems %j', (kind, expected) => {
    expect(problems(kind)).toEqual(expected);
  });

  it('must not lead back to itself without work', () => {
    expect(problems({ policy_ref: 'strict' }, [{ from: 'ask', to: 'ask', condition: 'state.x' }])).toEqual([
      ['busy_loop', expect.any(String)],
    ]);
  });

  it('reads every spelling of on_violation', () => {
    const read = (kind: JsonObject) =>
      normalise({
        workflow_id: 'w',
        version: '1',
        policies,
        nodes: { ask: { kind: { type: 'policy', policy_ref: 'strict', ...kind } } },
      }).workflow.nodes[0]?.kind;
    expect(read({})).toEqual({ type: 'policy', policy_ref: 'strict', on_violation: 'fail' });
    expect(read({ on_violation: { branch: { target: 'x' } } })).toMatchObject({ on_violation: 'fail', on_blocked: 'x' });
    expect(read({ on_violation: 'warn', subject: 'a' })).toMatchObject({ on_violation: 'warn', subject: ['a'] });
  });
});
