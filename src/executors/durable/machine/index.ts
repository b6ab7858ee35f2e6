import { type AnyActor, type AnyMachineSnapshot, createActor, type EventObject, type InspectionEvent } from 'xstate';
import { type AuthoredMachine, isMachine } from '../../../../machines/authored/machine.ts';
import { isDescribed } from '../../../../machines/journal.ts';
import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import { changeBetween } from '../../../../machines/snapshot-change.ts';
import { WorkError } from '../../executor.ts';
import { asToolFailure } from '../../failure.ts';
import { toJson } from '../../to-json.ts';
import type { StepContext, StepRetry } from '../context.ts';
import type { JournalSession } from '../journal-session.ts';
import { durationMs, invalid } from '../names.ts';
import { retryPolicyOf } from '../retry-policy.ts';
import type { Activity, ActivityContext, ActivityOptions } from './activity.ts';
import { type ActorHost, type BegunActor, type ExecutedAction, hostActorsOf, hostedMachine } from './hosted.ts';
import { Microsteps } from './microsteps.ts';

/** Characters of the name of an operation. */
const MAX_NAME = 200;

/** What a macrostep of a machine has done, before it is recorded. */
interface Macrostep {
  readonly event: string;
  readonly value: Json;
  readonly actions: readonly string[];
  readonly actor?: string;
  readonly emitted?: readonly Json[];
}

interface Settle {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** An operation that the machine has asked for. */
interface Asked {
  /** Null = it has not begun yet. */
  number: number | null;
  isOver: boolean;
}

/**
 * Runs a state machine as an actor of XState's own, whose outside is a journal: its clock are durable timers, its promises and custom actions steps,
 * its mailbox external events. It is given what the journal has, in the order of the journal, so that it comes to the same snapshot whenever it runs
 * again. What it asks for during a macrostep begins after it. Gives the machine's output.
 */
export function runMachine(authored: AuthoredMachine<Activity>, input: Json, session: JournalSession): Promise<unknown> {
  return new Promise((resolve, reject) => {
    new MachineRun(session, { resolve, reject }).start(authored, input);
  });
}

class MachineRun implements ActorHost {
  readonly #session: JournalSession;
  readonly #promise: Settle;
  #actor: AnyActor | null = null;
  #isOver = false;
  /** XState works: what happens now follows from what the journal has. */
  #isInTurn = false;
  /** A problem of the turn that is no error of the machine; null = there is none. */
  #problem: { readonly error: unknown } | null = null;
  /** The next id of an actor without one. */
  #nextId = 0;
  /** The persisted snapshot as it was recorded last; null = it has not been. */
  #persisted: JsonObject | null = null;
  readonly #snapshots = new WeakMap<object, unknown>();
  readonly #microsteps = new Microsteps();
  #macrosteps: Macrostep[] = [];
  /** Types of the actions of the current macrostep, by actor. */
  readonly #actions = new Map<object, string[]>();
  #emitted: Json[] = [];
  #begins: (() => void)[] = [];
  #cancels: number[] = [];
  /** The operations of promise actors. */
  readonly #actors = new Map<object, Asked>();
  /** Custom actions in progress: the machine does not end before them. */
  #acting = 0;
  /** The open wait for events; null = there is none. */
  #listening: { readonly number: number; readonly accepts: string } | null = null;
  /** Events that came for a state that was left meanwhile, in their order. */
  #held: EventObject[] = [];

  constructor(session: JournalSession, promise: Settle) {
    this.#session = session;
    this.#promise = promise;
  }

  start(authored: AuthoredMachine<Activity>, input: Json): void {
    this.#turn('xstate.init', () => {
      const machine = hostedMachine(authored);
      const actor = createActor(machine, {
        id: machine.id,
        input,
        clock: {
          setTimeout: (fire, ms) => this.#setTimer(fire, ms),
          clearTimeout: (timer) => this.#cancel(timer as unknown as Asked),
        },
        logger: (...said) => this.#log(said),
        inspect: (event) => this.#inspect(event),
      });
      this.#actor = actor;
      // The outcome is read from the snapshot. Without a listener, XState throws errors into the process.
      actor.subscribe({ error: () => {} });
      actor.on('*', (event) => this.#emitted.push(toJson(event, 'an emitted event')));
      actor.start();
    });
  }

  // ------------------------------------------------------------------ turns

  /** XState works on what has come, then what it has asked for begins. */
  #turn(cause: string, work: () => void): void {
    if (this.#isOver) return;
    try {
      this.#isInTurn = true;
      this.#microsteps.begin(cause, this.#session.isAgain);
      try {
        work();
      } finally {
        this.#isInTurn = false;
      }
      if (this.#problem !== null) throw this.#problem.error;
      this.#record(cause);
      this.#afterTurn();
    } catch (error) {
      this.#end(() => this.#promise.reject(error));
    }
  }

  #afterTurn(): void {
    const { status, output, error } = this.#snapshot;
    const isActive = status === 'active';
    if (isActive) for (const number of this.#cancels) this.#session.cancel(number);
    this.#cancels = [];
    const begins = this.#begins;
    this.#begins = [];
    for (const begin of begins) begin();
    if (!isActive && this.#acting === 0) {
      if (status === 'error') this.#end(() => this.#promise.reject(failureOf(error)));
      else this.#end(() => this.#promise.resolve(output));
      return;
    }
    if (!isActive) return;
    const accepts = acceptedBy(this.#snapshot);
    const next = this.#held.findIndex(({ type }) => isDescribed(accepts, type));
    const [event] = next === -1 ? [] : this.#held.splice(next, 1);
    if (event === undefined) this.#listen(accepts);
    else this.#turn(event.type, () => this.#root.send(event));
  }

  #end(settle: () => void): void {
    this.#isOver = true;
    settle();
  }

  get #root(): AnyActor {
    if (this.#actor === null) throw new TypeError('the machine has not started');
    return this.#actor;
  }

  get #snapshot(): AnyMachineSnapshot {
    return this.#root.getSnapshot() as AnyMachineSnapshot;
  }

  /** Records the macrosteps of the turn. The last one has how the snapshot has changed. */
  #record(cause: string): void {
    const persisted = toJson(this.#root.getPersistedSnapshot(), 'the snapshot') as JsonObject;
    const change = changeBetween(this.#persisted, persisted);
    this.#persisted = persisted;
    const macrosteps = this.#macrosteps;
    this.#macrosteps = [];
    if (macrosteps.length === 0 && change !== null)
      macrosteps.push({ event: cause, value: persisted.value ?? null, actions: [] });
    for (const [index, macrostep] of macrosteps.entries()) {
      const isLast = index === macrosteps.length - 1;
      this.#session.record(isLast && change !== null ? Object.assign(macrostep, { snapshot: change }) : macrostep);
    }
  }

  // ------------------------------------------------------------------ what XState says

  #inspect(event: InspectionEvent): void {
    if (event.type === '@xstate.actor') this.#created(event.actorRef as AnyActor);
    else if (event.type === '@xstate.event') {
      if (!this.#isInTurn)
        throw invalid(
          `the event "${event.event.type}" was sent by code of an activity, which the journal does not have: return it, or send it to the execution`,
        );
      this.#microstep(event.actorRef as AnyActor, null);
    } else if (event.type === '@xstate.microstep') this.#microstep(event.actorRef as AnyActor, event.snapshot);
    else if (event.type === '@xstate.action') this.#acted(event.actorRef as AnyActor, event.action.type);
    else if (event.type === '@xstate.snapshot') this.#moved(event.actorRef as AnyActor, event.event.type, event.snapshot);
  }

  #created(actor: AnyActor): void {
    if (this.#actor === null && actor._parent === undefined) {
      // Ids count within the system: they are the same when the machine runs again.
      const system = actor.system as unknown as { _bookId: () => string };
      system._bookId = () => {
        this.#nextId += 1;
        return `x:${this.#nextId}`;
      };
      hostActorsOf(actor.system, this);
    } else if (typeof actor.src !== 'string')
      throw invalid(
        `the machine spawns the actor "${actor.id}" without a name for its logic: name it in setup({ actors }), since the snapshot stores its name`,
      );
  }

  /** Counts a microstep of a machine, or an event (null) that any other actor is given: a machine answers one with a microstep. */
  #microstep(actor: AnyActor, snapshot: object | null): void {
    if (snapshot === null && isMachine(actor.logic)) return;
    try {
      const path = actor._parent === undefined ? '' : pathOf(actor);
      if (snapshot === null) this.#microsteps.add(path, null);
      else this.#microsteps.add(path === '' ? '' : `${path}: `, 'value' in snapshot ? snapshot.value : null);
    } catch (error) {
      // A parent could handle the error of its actor, and go on.
      this.#problem ??= { error };
      throw error;
    }
  }

  #acted(actor: AnyActor, type: string): void {
    const { logic } = actor;
    const isNamed = type.startsWith('xstate.') || (isMachine(logic) && Object.hasOwn(logic.implementations.actions, type));
    if (!isNamed)
      throw invalid(
        `the machine executes the custom action "${type}", which has no name in setup({ actions }): it would run again whenever the machine is rebuilt`,
      );
    const types = this.#actions.get(actor);
    if (types === undefined) this.#actions.set(actor, [type]);
    else types.push(type);
  }

  /** An actor has come to rest. */
  #moved(actor: AnyActor, event: string, snapshot: object): void {
    const actions = this.#actions.get(actor) ?? [];
    this.#actions.delete(actor);
    const isRoot = actor._parent === undefined;
    const emitted = isRoot ? this.#emitted : [];
    if (isRoot) this.#emitted = [];
    const isMoved = this.#snapshots.get(actor) !== snapshot || actions.length > 0 || emitted.length > 0;
    if (!isMoved || !('value' in snapshot)) return;
    this.#snapshots.set(actor, snapshot);
    this.#macrosteps.push({
      event: event.slice(0, MAX_NAME),
      value: toJson(snapshot.value, 'the state value'),
      actions,
      ...(isRoot ? {} : { actor: pathOf(actor) }),
      ...(emitted.length === 0 ? {} : { emitted }),
    });
  }

  #log(said: readonly unknown[]): void {
    if (!this.#session.isAgain) this.#session.context.log.info(said.map(textOf).join(' '));
  }

  // ------------------------------------------------------------------ what XState asks for

  /** Begins an operation after the turn, unless it is cancelled within the turn. */
  #ask<T>(begin: () => Promise<T>, over: (outcome: { readonly result: T } | { readonly error: unknown }) => void): Asked {
    const asked: Asked = { number: null, isOver: false };
    const settle = (outcome: { readonly result: T } | { readonly error: unknown }): void => {
      if (asked.isOver) return;
      asked.isOver = true;
      over(outcome);
    };
    this.#begins.push(() => {
      if (asked.isOver) return;
      asked.number = this.#session.next;
      begin().then(
        (result) => settle({ result }),
        (error: unknown) => settle({ error }),
      );
    });
    return asked;
  }

  #cancel(asked: Asked): void {
    if (asked.isOver) return;
    asked.isOver = true;
    if (asked.number !== null) this.#cancels.push(asked.number);
  }

  #setTimer(fire: (...args: never[]) => void, ms: number): never {
    const limitMs = durationMs('a delay of the machine', Math.max(0, ms) / 1_000);
    const name = (this.#newestTimer() ?? 'timer').slice(0, MAX_NAME);
    // XState hands it back to clearTimeout only.
    return this.#ask<void>(
      () => this.#session.begin('sleep', name, { limitMs }),
      () => this.#turn(name, fire as () => void),
    ) as never;
  }

  /** Type of the event that XState has scheduled last. */
  #newestTimer(): string | undefined {
    const { _scheduledEvents } = this.#systemOf() ?? {};
    return Object.values(_scheduledEvents ?? {}).at(-1)?.event.type;
  }

  #systemOf(): { readonly _scheduledEvents: Readonly<Record<string, { readonly event: EventObject }>> } | undefined {
    return this.#actor?.system.getSnapshot();
  }

  begin({ name, work, creator, input, scope }: BegunActor): void {
    const { self } = scope;
    const send = (outcome: { readonly result: unknown } | { readonly error: unknown }): void => {
      this.#actors.delete(self);
      const event =
        'result' in outcome
          ? { type: 'xstate.promise.resolve', data: outcome.result }
          : { type: 'xstate.promise.reject', data: outcome.error };
      this.#turn(`xstate.done.actor.${scope.id}`, () => (self as unknown as { send: (event: EventObject) => void }).send(event));
    };
    if ('workflow' in work) {
      const { id, version } = work.workflow;
      const called = { workflow: id, version, input: toJson(input ?? {}, `the input of actor "${name}"`) };
      this.#actors.set(
        self,
        this.#ask<unknown>(() => this.#session.begin('call', id, called), send),
      );
      return;
    }
    const { run } = work;
    // The machine says itself what follows an error of its own code.
    const retry = run === null && work.retry === undefined ? { maxAttempts: 1 } : work.retry;
    const code = (step: StepContext): unknown => {
      if (run !== null) return run(input, this.#activityContext(step));
      const { system, emit } = scope;
      return creator?.({ input, self, system, emit, signal: step.signal });
    };
    this.#actors.set(
      self,
      this.#ask<unknown>(() => this.#step(name, code, work, retry), send),
    );
  }

  stop(self: object): void {
    const asked = this.#actors.get(self);
    this.#actors.delete(self);
    if (asked !== undefined) this.#cancel(asked);
  }

  act({ name, work, implementation, args, params }: ExecutedAction): void {
    if ('workflow' in work) throw invalid(`activity "${name}": an action cannot call a workflow; invoke it as an actor`);
    const { context, event, self } = args;
    const code = (step: StepContext): unknown => {
      if (work.run === null) return implementation?.(args, params);
      return work.run(params ?? {}, Object.assign(this.#activityContext(step), { context, event }) as ActivityContext);
    };
    this.#acting += 1;
    this.#ask<unknown>(
      () => this.#step(name, (step) => discarded(code(step)), work, work.retry),
      (outcome) => {
        this.#acting -= 1;
        const failure = 'error' in outcome ? { type: `error.activity.${name}`, error: outcome.error } : null;
        this.#turn(failure?.type ?? name, () => {
          if (failure === null) return;
          const snapshot = self.getSnapshot() as AnyMachineSnapshot;
          if (snapshot.status === 'active' && snapshot.can(failure)) self.send(failure);
          else this.#problem = failure;
        });
      },
    );
  }

  #step(
    name: string,
    run: (step: StepContext) => unknown,
    { timeout }: Pick<ActivityOptions, 'timeout'>,
    retry: StepRetry | undefined,
  ): Promise<unknown> {
    const timeoutMs = timeout === undefined ? null : durationMs('the timeout of an activity', timeout);
    return this.#session.begin('step', name.slice(0, MAX_NAME), {}, { step: { run, retry: retryPolicyOf(retry), timeoutMs } });
  }

  #activityContext(step: StepContext): ActivityContext {
    return Object.assign({}, this.#session.context, step);
  }

  // ------------------------------------------------------------------ external events

  /** Waits for an event that a state accepts, also if there is none: then the machine only waits. */
  #listen(accepted: readonly string[]): void {
    const accepts = accepted.join(' ');
    if (this.#listening?.accepts === accepts) return;
    // If it has an event already, that comes all the same.
    if (this.#listening !== null) this.#session.cancel(this.#listening.number);
    const { next: number } = this.#session;
    this.#listening = { number, accepts };
    this.#session
      .begin<{ readonly type: string; readonly payload: Json }>('event', 'event', { accepts: accepted })
      .then(({ type, payload }) =>
        this.#received(number, Object.assign({}, isObject(payload) ? payload : { payload }, { type })),
      );
  }

  #received(number: number, event: EventObject): void {
    if (this.#listening?.number === number) this.#listening = null;
    if (this.#isOver) return;
    this.#held.push(event);
    this.#turn(event.type, () => {});
  }
}

/** Descriptors of the external events for which the states have transitions, guards aside. */
function acceptedBy(snapshot: AnyMachineSnapshot): readonly string[] {
  const descriptors = snapshot._nodes.flatMap(({ ownEvents }: { readonly ownEvents: readonly string[] }) => ownEvents);
  return [...new Set<string>(descriptors)].filter((descriptor) => !descriptor.startsWith('xstate.')).sort();
}

function pathOf(actor: AnyActor): string {
  const parent = actor._parent as AnyActor | undefined;
  return parent?._parent === undefined ? actor.id : `${pathOf(parent)}/${actor.id}`;
}

/** What an action returns is not used. */
function discarded(result: unknown): unknown {
  return result instanceof Promise ? result.then(() => null) : null;
}

/** The machine comes to the same error whenever it runs. */
function failureOf(error: unknown): WorkError {
  const failure = asToolFailure(error);
  if (!failure.retryable) return failure;
  const { message, errorClass, details } = failure;
  return new WorkError(message, {
    cause: error,
    retryable: false,
    ...(errorClass === null ? {} : { errorClass }),
    ...(details === null ? {} : { details }),
  });
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle.
    return String(value);
  }
}
