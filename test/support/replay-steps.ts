import type { Json } from '../../machines/json.ts';
import type { Message, Visit } from '../../machines/messages.ts';
import { type History, historyOf, replayForRetry, type TimedEvent } from '../../machines/replay/index.ts';
import { messageInLog } from '../../machines/replay/message-in-log.ts';
import { type ReplayEnv, replayStep } from '../../machines/replay/replay-step.ts';
import { type Run, type StepEnv, TERMINAL } from '../../machines/run.ts';
import { activeOf, resettableFailures, step } from '../../machines/step/index.ts';
import type { Program } from '../../machines/step/program.ts';
import { visitKey } from '../../machines/visit-key.ts';

/** A message that the log implies, and the nodes that its step started in process. */
export interface LoggedMessage {
  readonly message: Message;
  readonly inProcess: ReadonlySet<string>;
}

/** All steps of a log: the run after the step, the end of its events, and the messages of later steps. */
export function stepsOf(
  program: Program,
  log: readonly TimedEvent[],
  env: ReplayEnv,
): readonly { readonly run: Run; readonly end: number; readonly later: readonly LoggedMessage[] }[] {
  const steps: { run: Run; end: number; later: LoggedMessage[] }[] = [];
  const history: History = { ...historyOf(log), resets: { failures: new Set(), ends: new Set() } };
  for (let at = 0; at < log.length; ) {
    const before = steps.at(-1)?.run ?? null;
    const from =
      log[at]?.type === 'workflow_retried' && before !== null ? runAfterReset(program, log.slice(0, at), before, env) : before;
    if (before !== null && from !== null) {
      const message = messageInLog(program, from, log, at);
      for (const earlier of steps) earlier.later.push({ message, inProcess: inProcess(log, at) });
    }
    const { run, length } = replayStep(program, from, log, at, env, history);
    at += length;
    steps.push({ run, end: at, later: [] });
  }
  return steps;
}

function inProcess(log: readonly TimedEvent[], at: number): ReadonlySet<string> {
  const { at_ms: atMs } = log[at] as TimedEvent;
  const local = log.filter((event) => event.at_ms === atMs && event.data.in_process === true);
  return new Set(local.flatMap(({ node_id }) => node_id ?? []));
}

function runAfterReset(program: Program, log: readonly TimedEvent[], run: Run, env: ReplayEnv): Run {
  const replaying = replayForRetry(program, log, resettableFailures(run), env);
  for (;;) {
    const { done, value } = replaying.next();
    if (done) return value;
  }
}

/**
 * A fork of an execution that receives the later messages of its origin. Throws for a result of work that it did not request, and for a timer
 * that it did not set.
 */
export class Fork {
  readonly #program: Program;
  readonly #env: ReplayEnv & Pick<StepEnv, 'tenantPolicy'>;
  readonly log: TimedEvent[];
  run: Run;
  #nowMs: number;
  #children = 0;
  readonly #timers = new Map<string, number>();
  readonly #requestedWork = new Set<string>();

  constructor(
    program: Program,
    env: ReplayEnv & Pick<StepEnv, 'tenantPolicy'>,
    origin: { readonly log: readonly TimedEvent[]; readonly run: Run; readonly env: ReplayEnv },
    patch: Json = {},
  ) {
    this.#program = program;
    this.#env = env;
    this.log = [...origin.log];
    this.run = origin.run;
    this.#nowMs = (this.log.at(-1)?.at_ms ?? 0) + 1_000_000;
    const local = new Set(activeOf(program, origin.run).flatMap((active) => (active.local ? active.node : [])));
    this.#step(
      { type: 'fork', origin: { executionId: origin.env.executionId, sequence: origin.run.seq }, patch, decisions: [] },
      local,
    );
    this.#startChildren();
  }

  /** Sends a message to the fork. A deferred node is resumed first: the origin had started it before it was paused. */
  send({ message, inProcess: local }: LoggedMessage): void {
    if (message.type === 'child' && message.change.status === 'started') return;
    if (message.type === 'requeue') return;
    if ('activation' in message && message.activation > 0 && this.#phase(message) === 'deferred')
      // The operations of a function are those of an attempt in this process.
      this.#step({ type: 'resume' }, message.type === 'operations' ? new Set([message.node]) : local);
    if (message.type === 'retry') this.run = runAfterReset(this.#program, this.log, this.run, this.#env);
    this.#step(this.#addressed(message), local);
    this.#startChildren();
  }

  #phase({ node, item }: Visit): string | undefined {
    return activeOf(this.#program, this.run).find((active) => active.node === node && active.item === item)?.phase;
  }

  /** The children of the fork have their own ids. */
  #addressed(message: Message): Message {
    if (message.type !== 'child') return message;
    const known = activeOf(this.#program, this.run).find(({ node }) => node === message.node);
    return { ...message, childId: known?.childId ?? message.childId };
  }

  #startChildren(): void {
    for (const { node, activation, attempt, local } of activeOf(this.#program, this.run)) {
      const { kind } = this.#program.tables.nodeOf(node);
      if (kind.type !== 'subgraph' || !local) continue;
      this.#children += 1;
      const childId = `exec_fork_child_${this.#children}`;
      this.#step(
        { type: 'child', node, activation, attempt, childId, childWorkflowId: kind.workflow_ref, change: { status: 'started' } },
        new Set(),
      );
    }
  }

  #step(message: Message, local: ReadonlySet<string>): void {
    this.#nowMs += 1_000;
    this.#checkExpected(message);
    const env: StepEnv = { ...this.#env, nowMs: this.#nowMs, stepLimit: 10_000, vars: {}, isLocal: (node) => local.has(node) };
    const stepped = step(this.#program, this.run, message, env);
    if ('refused' in stepped) {
      if (['not_suspended', 'already_suspended', 'terminal'].includes(stepped.refused) || isChildStatus(message)) return;
      // In the fork, the node did not wait for a slot or for capacity.
      if (message.type === 'claimed' && message.local === true) return;
      if (message.type === 'child' && message.change.status === 'waiting') return;
      // The function has parked already: the fork was resumed before the origin.
      if (message.type === 'operations' && message.entries.length === 0) return;
      throw new Error(`${JSON.stringify(message)} is refused: ${stepped.refused}`);
    }
    this.run = stepped.run;
    this.log.push(...stepped.events.map((event) => ({ ...event, at_ms: this.#nowMs })));
    for (const effect of stepped.effects) {
      if (effect.type === 'work') this.#requestedWork.add(visitKey(effect));
      if (effect.type === 'set_timer') this.#timers.set(effect.id, effect.atMs);
      if (effect.type === 'clear_timer') this.#timers.delete(effect.id);
    }
  }

  #checkExpected(message: Message): void {
    if (TERMINAL.has(this.run.status)) return;
    if (message.type === 'timer') {
      const atMs = this.#timers.get(message.id);
      if (atMs === undefined) throw new Error(`timer ${message.id} was never set`);
      this.#timers.delete(message.id);
      this.#nowMs = Math.max(this.#nowMs, atMs);
    }
    if ((message.type !== 'done' && message.type !== 'fail') || message.activation === 0) return;
    const { kind } = this.#program.tables.nodeOf(message.node);
    if (kind.type !== 'subgraph' && !this.#requestedWork.has(visitKey(message)))
      throw new Error(`${message.node} was never requested: ${visitKey(message)}`);
  }
}

/** A child that was paused in the origin may run in the fork. */
function isChildStatus(message: Message): boolean {
  return message.type === 'child' && (message.change.status === 'running' || message.change.status === 'paused');
}
