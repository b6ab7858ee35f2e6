import type { Journal, Operation } from '../journal.ts';
import type { Json } from '../json.ts';
import type { Decide, Operations, Update } from '../messages.ts';
import type { Refused, StepEnv, StepResult } from '../run.ts';
import { childChanged } from './actions/actions.ts';
import { meter } from './actions/budgets.ts';
import { addApproval, addCause } from './actions/causes.ts';
import { type ActiveVisit, visitIn } from './context/active-visits.ts';
import type { EarlyEvent } from './context/context.ts';
import type { StepContext } from './context/step-context.ts';
import type { MachineEvent } from './machine-event.ts';
import { nextSegmentId } from './segments.ts';
import { beginCall } from './work/calls.ts';
import {
  applyDeclared,
  applyEntry,
  complete,
  decided,
  failFinally,
  receiveUpdate,
  restartWaits,
  takeEvent,
  timeIsOver,
  undeclaredSnapshot,
} from './work/operations.ts';

/** The step that is being taken. */
export interface FunctionStepsHost {
  readonly step: StepContext;
  readonly env: StepEnv;
  /** Moves the machine. */
  move(event: MachineEvent): void;
  /** Defers the node until `resume`. */
  defer(node: string): void;
  /** Is the execution where the node is, and nowhere else? */
  isAlone(): boolean;
  finish(node: string): StepResult;
  /** Leaves the states of an execution that has exceeded a budget. */
  leaveIfHalted(): boolean;
}

const NOT_ALONE =
  'a durable function in a parallel branch, or that runs before the execution ends, cannot continue as another execution: what runs beside it would be lost';

/** What steps do to durable functions. Only parking and waking move the machine. */
export class FunctionSteps {
  readonly #host: FunctionStepsHost;

  constructor(host: FunctionStepsHost) {
    this.#host = host;
  }

  /** Null = the entries do not fit the journal, or the function has not been given all results and only waits for them. */
  operate({ node, entries, parkedAfter, isHeldToDocument }: Operations): StepResult | Refused | null {
    const apply = isHeldToDocument === true ? applyDeclared : applyEntry;
    for (const [index, entry] of entries.entries()) {
      const fits = apply(this.#host.step, node, entry, this.#host.env.nowMs);
      if (typeof fits === 'string') return { refused: 'stale', nodes: [], reason: `operations[${index}]: ${fits}` };
      if (!fits) return null;
      if (entry.type === 'begin' && entry.kind === 'continue' && this.continuesAsNew(node)) return this.#host.finish(node);
    }
    const problem = isHeldToDocument === true ? undeclaredSnapshot(this.#host.step, node, entries) : null;
    if (problem !== null) return { refused: 'stale', nodes: [], reason: problem };
    const isParked = parkedAfter !== undefined && this.#park(node, parkedAfter);
    if (entries.length === 0 && parkedAfter !== undefined && !isParked) return null;
    if (!isParked) this.#wake(node);
    return this.#host.finish(node);
  }

  /**
   * Ends the execution if the function has asked for another one that continues it. A suspended one goes on until it is resumed. False = it goes on: what
   * runs beside the function would be lost.
   */
  continuesAsNew(node: string): boolean {
    const { step, env } = this.#host;
    const { journal, activation } = step.activeOf(node);
    const operation = journal?.allOpen().find(({ kind }) => kind === 'continue');
    if (operation === undefined || step.now.suspension !== null) return false;
    const { number, name, attempt, input = null } = operation;
    if (!this.#host.isAlone()) {
      const failure = { error: NOT_ALONE, error_class: 'validation' };
      step.addEvent('step_failed', node, { name, operation: number, attempt, ...failure, activation });
      failFinally(step, node, operation, failure);
      return false;
    }
    const continuedAs = nextSegmentId(env.executionId, step.now.segment ?? 0, env.nowMs);
    step.haltWith({ status: 'limit_exceeded', error: 'ctx.continueAsNew', continuedAs, at: node, input });
    return this.#host.leaveIfHalted();
  }

  /**
   * The function gives up its slot. False = there are results that it has not been given, or a step that is to be attempted again, so that it goes
   * on.
   */
  #park(node: string, given: number): boolean {
    const { activation, journal, phase } = this.#host.step.activeOf(node);
    // Said again, because the answer to its commit was lost.
    if (phase !== 'running') return phase === 'waiting' || phase === 'deferred';
    // A retry takes results away, so the last position says nothing. Below 0: as it was logged.
    const isBehind = journal !== undefined && (given < 0 || journal.resultAfter(given) !== undefined || journal.hasRunning);
    if (isBehind && this.#host.step.now.suspension === null) return false;
    this.#host.step.addEvent('function_parked', node, isBehind ? { deferred: true, activation } : { activation });
    if (isBehind) this.#host.defer(node);
    else {
      this.#host.step.setActive(node, visitIn('waiting', this.#host.step.activeOf(node)));
      this.#host.move({ type: journal?.isParked === false ? 'wait' : 'park', node });
    }
    return true;
  }

  /** The function begins to work again as the same attempt, if it is parked. */
  #wake(node: string): void {
    const active = this.#host.step.now.active.get(node);
    if (active?.phase !== 'waiting') return;
    this.#host.step.setActive(node, visitIn('queued', active));
    this.#host.move({ type: 'requeue', node });
  }

  /** Something else than the function has given an operation its result, or lets it be attempted again. */
  #operationChanged(node: string): StepResult {
    const { phase, activation, local } = this.#host.step.activeOf(node);
    if (phase === 'running' && local === true) this.#host.step.effects.add([{ type: 'operations_changed', node, activation }]);
    this.#wake(node);
    return this.#host.finish(node);
  }

  operationTimer(node: string, operation: Operation): StepResult {
    timeIsOver(this.#host.step, node, operation, this.#host.env.nowMs);
    return this.#operationChanged(node);
  }

  /** An event for the child execution of a call. */
  sendToCall(event: MachineEvent, node: string, number: number): StepResult {
    const { step } = this.#host;
    const operation = step.activeOf(node).journal?.open(number);
    if (operation === undefined) throw new TypeError(`operation ${number} of node ${node} has ended`);
    if (event.type === 'requeue') this.#callAgain(node, operation);
    else if (event.type === 'child' && event.change.status !== 'completed') childChanged(step, event, node, number);
    else return this.#callEnded(event, node, operation);
    return this.#host.finish(node);
  }

  /** Nothing of it has begun. */
  #callAgain(node: string, { number: operation, name, kind, attempt }: Operation): void {
    const { step } = this.#host;
    const { activation } = step.activeOf(node);
    step.addEvent('step_started', node, { name, operation, kind, attempt, activation });
    beginCall(step, node, operation);
  }

  #callEnded(event: MachineEvent, node: string, operation: Operation): StepResult {
    const { step } = this.#host;
    const { name, number, attempt } = operation;
    const call = step.activeOf(node, number);
    const { activation } = call;
    addCause(step, event, node, call, number);
    step.endItem(node, number);
    if (event.type === 'child' && event.change.status === 'completed') {
      const { input: _, ...called } = operation;
      complete(step, node, called, event.change.result, {});
    } else if (event.type === 'fail') {
      const { error, errorClass } = event;
      const failure = { error, ...(errorClass === undefined ? {} : { error_class: errorClass }) };
      step.addEvent('step_failed', node, { name, operation: number, attempt, ...failure, activation });
      failFinally(step, node, operation, call.child === undefined ? failure : { child_execution_id: call.child, ...failure });
    } else throw new TypeError(`${event.type} is for no call`);
    meter(step, node, event);
    return this.#host.leaveIfHalted() ? this.#host.finish(node) : this.#operationChanged(node);
  }

  /** A decision on a question of a durable function. */
  decideOperation(node: string, operation: Operation, decision: Decide, patch: Json): StepResult {
    const { userId, comment, decision: made } = decision;
    const { activation } = this.#host.step.activeOf(node);
    addApproval(this.#host.step, { type: 'decide', node, decision: made, userId, comment, patch }, activation);
    decided(this.#host.step, node, operation, decision, this.#host.env.nowMs);
    return this.#operationChanged(node);
  }

  /** The event that an operation waits for has come. */
  receive(node: string, operation: Operation, event: EarlyEvent): StepResult {
    takeEvent(this.#host.step, node, operation, event);
    return this.#operationChanged(node);
  }

  /** Gives an update to the function that has a handler for it. */
  receiveUpdate({ name, input }: Update): StepResult | Refused {
    const { step } = this.#host;
    const takes = ({ journal, phase }: ActiveVisit): boolean =>
      phase !== 'failed' && journal?.handlers.some((handler) => handler.name === name) === true;
    const [node, active] = step.now.active.entries().find(([, visit]) => takes(visit)) ?? [];
    if (node === undefined || active?.journal === undefined) return { refused: 'unknown_update', nodes: [] };
    if (!active.journal.takesUpdate(input)) return { refused: 'too_many_updates', nodes: [] };
    receiveUpdate(step, node, name, input);
    return this.#operationChanged(node);
  }

  /** A new visit to a durable function goes on with what the last one has done. */
  visitAgain(node: string, journal: Journal): void {
    const { step, env } = this.#host;
    const activation = step.countVisit(node);
    step.setActive(node, { activation, attempt: 0, phase: 'deferred', journal: journal.reopened() });
    restartWaits(step, node, env.nowMs);
  }
}
