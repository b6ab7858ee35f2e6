import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Message } from '../../../machines/messages.ts';
import type { ActiveNode } from '../../../machines/run.ts';
import { load, save, suspensionOf, terminalFailures } from '../../../machines/step/index.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import { documents } from '../../support/workflows.ts';

const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 40 });
const outputs: readonly Json[] = [{ n: 1, ok: true }, { n: 3, x: 1 }, { ok: false }, 'text', null];
const BEGINS = /^(node_scheduled|node_started|tool_approval_required|interrupt_raised)/;
const ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };

/**
 * A workflow in which nothing depends on when a node begins, only on how it ends: every wait has its own key, and no node ends as soon as
 * it begins.
 */
const unhurried = (json: JsonObject): Workflow => {
  const nodes = (json.nodes as readonly JsonObject[]).map((node) => {
    const { policy, ...rest } = node;
    if (isObject(policy) && 'blocked_tools' in policy) return rest;
    const { kind } = node;
    return isObject(kind) && kind.type === 'wait' ? { ...node, kind: { ...kind, correlation_key: `key of ${node.id}` } } : node;
  });
  const { workflow } = normalise({ ...json, nodes });
  fc.pre(analyse(workflow).graph !== null);
  return workflow;
};

const isOver = ({ run }: Driver): boolean => run.status !== 'running' && run.status !== 'paused';

/** The next message for a node in progress; null while it is deferred. */
function messageFor(driver: Driver, { node, activation, attempt, phase, waitsFor }: ActiveNode, roll: number): Message | null {
  const visit = { node, activation, attempt };
  const output = outputs[roll % outputs.length] ?? null;
  const timer = [...driver.timers.values()].find((armed) => armed.node === node);
  switch (phase) {
    case 'queued':
      if (roll % 5 < 2) return { type: 'fail', ...visit, error: 'boom', retryable: roll % 5 === 0 };
      return { type: 'done', ...visit, output, durationMs: 7 };
    case 'awaiting_approval':
    case 'approval': {
      if (timer !== undefined && roll % 5 === 0) return { type: 'timer', id: timer.id };
      const decision = roll % 4 === 0 ? 'rejected' : 'approved';
      return { type: 'decide', node, decision, userId: 'ann', comment: null, patch: roll % 4 === 1 ? { x: 1 } : null };
    }
    default:
      if (timer !== undefined && (waitsFor === null || roll % 2 === 0)) return { type: 'timer', id: timer.id };
      return waitsFor === null ? null : { type: 'event', key: waitsFor, payload: output };
  }
}

/** Plays rolls until the execution has ended, and returns the messages sent. */
function play(driver: Driver, rolls: readonly number[]): { readonly message: Message; readonly upTo: number }[] {
  return rolls.flatMap((roll) => {
    const active = driver.active[roll % Math.max(1, driver.active.length)];
    const message = isOver(driver) || active === undefined ? null : messageFor(driver, active, roll);
    if (message === null) return [];
    driver.send(message);
    return [{ message, upTo: driver.run.seq }];
  });
}

/** What two runs of one history must have in common; when a node has begun is not part of it. */
function standing(driver: Driver, anew: readonly string[] = []): unknown {
  const { at, state, steps, handled, failures, forks, sections, fed, early, visits, active, error } = JSON.parse(
    save(driver.run),
  );
  const visited = Object.fromEntries(Object.entries(visits ?? {}).filter(([node]) => !anew.includes(node)));
  const under = Object.entries((active ?? {}) as Record<string, ActiveNode>).map(([node, { activation, attempt, phase }]) =>
    anew.includes(node) ? node : `${node}:${activation}:${attempt}:${phase}`,
  );
  const places = (at as string[]).map((id) => id.replace(/^approval:/, ''));
  return {
    status: driver.run.status,
    at: places,
    active: under.sort(),
    visits: visited,
    timers: [...driver.timers.keys()].sort(),
    ...{ state, steps, handled, failures, forks, sections, fed, early, error },
  };
}

/** Completes everything that is in progress, in both runs alike. */
function succeed(patient: Driver, retried: Driver): void {
  for (let moves = 0; moves < 40 && !isOver(patient); moves += 1) {
    const [{ node, phase } = { node: '', phase: 'queued' }] = patient.active;
    for (const driver of [patient, retried]) {
      const under = () => driver.active.find((active) => active.node === node);
      // A node that was approved before it failed is asked for again.
      if (under()?.phase === 'awaiting_approval' && phase !== 'awaiting_approval') driver.decide(node, 'approved');
      if (under()?.phase === 'awaiting_approval') driver.decide(node, 'approved');
      else if (under()?.phase === 'approval') driver.decide(node, 'approved');
      else if (under()?.phase === 'queued') driver.done(node, { ok: false });
      else if (under()?.waitsFor != null) driver.event(under()?.waitsFor ?? '', { ok: false });
      else driver.fire(node);
    }
  }
  if (!isOver(patient)) for (const driver of [patient, retried]) driver.send({ type: 'cancel', reason: 'a loop' });
}

function completions({ log }: Driver): string[] {
  return log.flatMap(({ type, node_id }) => (type === 'node_completed' && node_id !== null ? [node_id] : [])).sort();
}

/** Every replay of the log gives the same snapshots: from the start, and from each snapshot that no later retry has reset. */
function expectReplays(driver: Driver): void {
  const every = Math.ceil(driver.saves.length / 15);
  for (const { seq, text } of driver.saves.filter((_, i) => i % every === 0)) {
    expect(save(replay(driver.program, null, driver.log.slice(0, seq), ENV))).toBe(text);
    const forgotten = driver
      .all('workflow_retried')
      .some(({ sequence, data }) => sequence > seq && (data.forgiven as number[]).some((failure) => failure <= seq));
    if (forgotten || seq === driver.run.seq) continue;
    const checkpoint = load(driver.program, text, { seq, input: {} });
    expect(save(replay(driver.program, checkpoint, driver.log.slice(seq), ENV))).toBe(save(driver.run));
  }
}

describe('suspensions and retries of any workflow, at any time', () => {
  it('replay from the log', () => {
    let retries = 0;
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const { workflow } = normalise(json);
        fc.pre(analyse(workflow).graph !== null);
        const driver = new Driver(workflow, { env: { stepLimit: 500 } });
        for (const roll of rolls) {
          if (roll % 7 === 0) driver.try({ type: 'pause', reason: null });
          if (roll % 7 === 1) driver.try({ type: 'resume' });
          if (roll % 7 === 2 && !isOver(driver)) driver.event(`key${roll % 2}`, outputs[roll % outputs.length]);
          play(driver, [roll]);
          if (roll % 7 === 3) driver.reload();
          const fatal = terminalFailures(driver.run);
          if (fatal.length === 0 || fatal.some((node) => driver.program.tables.verdicts.get(node)?.decision === 'blocked'))
            continue;
          driver.retry();
          retries += 1;
        }
        expectReplays(driver);
      }),
      { numRuns: sampleOf(100) },
    );
    expect(retries).toBeGreaterThanOrEqual(oftenIn(10));
  });
});

describe('a suspension at any point', () => {
  it.each([true, false])('changes only when nodes begin (forks: %s)', (forks) => {
    fc.assert(
      fc.property(documents(9), tape, fc.array(fc.nat(3), { minLength: 40, maxLength: 40 }), (json, rolls, holds) => {
        const workflow = unhurried(json);
        const free = new Driver(workflow, { compile: { forks } });
        const held = new Driver(workflow, { compile: { forks } });
        for (const [i, { message }] of play(free, rolls).entries()) {
          const roll = holds[i] ?? 0;
          if (roll === 1) {
            held.try({ type: 'pause', reason: 'a look' });
            expect(held.run.status).toBe('paused');
          }
          if (roll === 2) held.try({ type: 'resume' });
          if (roll === 3) held.reload();
          if ('refused' in held.try(message)) {
            held.resume();
            held.send(message);
          }
          if (suspensionOf(held.run) !== null) expect(held.events.filter((event) => BEGINS.test(event))).toEqual([]);
        }
        if (!isOver(held)) held.try({ type: 'resume' });
        expect(standing(held)).toEqual(standing(free));
        expectReplays(held);
      }),
      { numRuns: sampleOf(100) },
    );
  });
});

describe('a retry of an execution that failed by its nodes', () => {
  it.each([true, false])('continues like an execution in which they had not failed (forks: %s)', (forks) => {
    let retries = 0;
    let completed = 0;
    fc.assert(
      fc.property(documents(9), tape, tape, fc.nat(99), (json, rolls, later, roll) => {
        const workflow = unhurried(json);
        // After a rejected review, work is scored anew before it is reviewed again.
        fc.pre(!workflow.nodes.some(({ kind }) => kind.type === 'eval' && kind.on_fail === 'escalate'));
        const retried = new Driver(workflow, { compile: { forks } });
        let sent = play(retried, rolls);
        for (let again = 0; again < 3 && terminalFailures(retried.run).length > 0; again += 1) {
          const nodes = terminalFailures(retried.run);
          const order = workflow.nodes.map(({ id }) => id).filter((id) => nodes.includes(id));
          retried.retry();
          retries += 1;
          const data = retried.last.events[0]?.data;
          const reset = (data?.forgiven ?? []) as readonly number[];
          expect(data?.nodes).toEqual(order);
          expect(retried.run).toMatchObject({ error: null });

          const patient = new Driver(workflow, { compile: { forks } });
          if (again === 0) {
            let before = 0;
            for (const { message, upTo } of sent) {
              const from = before;
              before = upTo;
              if (!reset.some((failure) => failure > from && failure <= upTo)) patient.send(message);
            }
            expect(standing(retried, order)).toEqual({ ...(standing(patient, order) as object), status: retried.run.status });
            if (roll % 2 === 0) {
              succeed(patient, retried);
              if (retried.run.status === 'completed') completed += 1;
              expect(completions(retried)).toEqual(completions(patient));
              expect(standing(retried, order)).toEqual(standing(patient, order));
              break;
            }
          }
          sent = [...sent, ...play(retried, later.slice(again * 7))];
        }
        expectReplays(retried);
      }),
      { numRuns: sampleOf(100, 35) },
    );
    expect(retries).toBeGreaterThanOrEqual(oftenIn(10));
    expect(completed).toBeGreaterThanOrEqual(oftenIn(1));
  });
});
