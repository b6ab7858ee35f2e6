import { StoreError } from '../../../store/port/errors.ts';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import type { ProcessMessage, ProcessMessages } from '../../../store/port/process-messages.ts';
import type { Random } from '../../support/random.ts';
import type { Fault, Plan } from '../plan.ts';
import { type DatabaseObserver, NOTHING } from '../store/memory-database.ts';
import type { Transport } from '../store/memory-store.ts';
import { Incarnation } from './incarnation.ts';
import { randomStream, uuidOf } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';

/** Interval at which subscribers read the store, because notifications can be lost. */
const POLL_MS = 30_000;
/** Time until a request on a broken connection fails. */
const FAILURE_MS = 200;
/** How long an engine tries to find out whether a commit was applied; after that its outcome is unknown. */
const RESOLVE_MS = 15_000;
/** Attempts at a transaction that ends with a serialization failure, and the longest time of one. */
const MAX_ATTEMPTS = 20;
const ATTEMPT_MS = 100;
/** Longest delay of a notification that is late, or delivered again. */
const LATE_MS = 20_000;

/** Time until a process listens for notifications again. */
const RECONNECT_MS = 1_000;

/** If the reply to a commit takes longer than this, its sender often reads the store before. */
const EARLY_READ_MS = 500;

type CommitFault = Extract<Fault, { kind: 'commit' }>;
/** Faults with a duration. */
type TimedFault = Extract<Fault, { kind: 'outage' | 'slow reads' | 'notifications' | 'partition' }>;

/** Connections between runtime processes and the database, with delays, loss, reordering and duplication drawn from the seed. */
export class Network {
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #subscribers = new Map<Incarnation, (notification: StoreNotification) => void>();
  /** Number of commits by process index. */
  readonly #commits = new Map<number, number>();
  readonly #receivers = new Map<Incarnation, { readonly self: string; readonly receive: (text: string) => void }>();
  /** By sender and receiver: when the next message may arrive. */
  readonly #arrivals = new Map<string, number>();
  #notifications = 0;
  /** By process: its commits that the database has, and those of which the process knows. */
  readonly #applied = new Map<Incarnation, number>();
  readonly #acknowledged = new Map<Incarnation, number>();
  /** Counts how often the database was set back; all connections break then. */
  epoch = 0;
  /** No more faults. */
  faultsOver = false;

  constructor(plan: Plan, scheduler: Scheduler) {
    this.#plan = plan;
    this.#scheduler = scheduler;
  }

  /** Remembers which commits the database has; returns a function to call when it has returned to that state. */
  backUp(): () => void {
    const applied = new Map(this.#applied);
    return () => {
      for (const each of this.#applied.keys()) this.#applied.set(each, applied.get(each) ?? 0);
      this.epoch += 1;
      for (const subscriber of this.#subscribers.keys())
        if (subscriber.alive) {
          const random = randomStream(this.#plan.seed, 'set back', this.epoch, subscriber.id);
          this.reconnects(subscriber, random.between(0, RECONNECT_MS), `set back ${this.epoch}`);
        }
    };
  }

  /** A commit of the process was applied; returns their number. */
  onApplied(incarnation: Incarnation): number {
    const count = (this.#applied.get(incarnation) ?? 0) + 1;
    this.#applied.set(incarnation, count);
    return count;
  }

  onAcknowledged(incarnation: Incarnation, count: number): void {
    this.#acknowledged.set(incarnation, count);
  }

  /** Whether the database lacks commits of which the process knows. It is told once, with what was read since. */
  hasLostCommits(incarnation: Incarnation): boolean {
    const applied = this.#applied.get(incarnation) ?? 0;
    if ((this.#acknowledged.get(incarnation) ?? 0) <= applied) return false;
    this.#acknowledged.set(incarnation, applied);
    this.#subscribers.get(incarnation)?.({ ...GAP, commitsLost: true });
    return true;
  }

  connect(incarnation: Incarnation): Transport {
    return new Connection(this, this.#plan, this.#scheduler, incarnation);
  }

  watch(subscriber: Incarnation, onNotification: (notification: StoreNotification) => void): () => void {
    this.#subscribers.set(subscriber, onNotification);
    this.#deliver(subscriber, `${subscriber.id} subscribes`, GAP);
    const poll = (n: number): void => {
      this.#scheduler.schedule(POLL_MS, subscriber, `${subscriber.id} polls ${n}`, () => {
        if (this.#subscribers.get(subscriber) !== onNotification) return;
        this.#deliver(subscriber, `${subscriber.id} reads the store ${n}`, GAP);
        poll(n + 1);
      });
    };
    poll(1);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Sends a notification to all subscribers except its sender. */
  readonly notify: DatabaseObserver['notify'] = (from, notification) => {
    let n = 0;
    for (const subscriber of this.#subscribers.keys()) {
      if (!subscriber.alive || subscriber === from) continue;
      const label = `${subscriber.id} is notified ${++this.#notifications} ${++n}`;
      if (this.#isCutOff(subscriber, from)) continue;
      const how = this.#notificationFault(subscriber.processIndex);
      if (how === 'lost') continue;
      this.#deliver(subscriber, label, notification, how === 'late' ? LATE_MS : 0);
      if (how === 'twice' || how === 'again')
        this.#deliver(subscriber, `${label} ${how}`, notification, how === 'again' ? LATE_MS : 0);
    }
  };

  /** Sends messages to the processes they are for, in order; they may be lost. */
  send(from: Incarnation, messages: readonly ProcessMessage[]): void {
    for (const { to, text } of messages)
      for (const [receiver, { self, receive }] of this.#receivers) {
        if (!receiver.alive || (to !== null && to !== self) || this.#isCutOff(receiver, from)) continue;
        if (this.#notificationFault(receiver.processIndex) === 'lost') continue;
        const label = `${receiver.id} receives ${++this.#notifications}`;
        const pair = `${from.id} ${receiver.id}`;
        const { nowMs } = this.#scheduler;
        const atMs = Math.max(this.#arrivals.get(pair) ?? 0, nowMs + this.delay(randomStream(this.#plan.seed, label)));
        // One millisecond apart, since the order of entries with the same time is drawn.
        this.#arrivals.set(pair, atMs + 1);
        this.#scheduler.schedule(atMs - nowMs, receiver, label, () => receive(text));
      }
  }

  receive(receiver: Incarnation, self: string, receive: (text: string) => void): () => void {
    this.#receivers.set(receiver, { self, receive });
    return () => this.#receivers.delete(receiver);
  }

  /** Breaks and restores the notification connection, so that the subscriber reads the store. */
  reconnects(subscriber: Incarnation, inMs: number, label: string): void {
    this.#scheduler.schedule(inMs, subscriber, `${label} ${subscriber.id} reconnects`, () => this.#receive(subscriber, GAP));
  }

  /** The partition between two processes ends: they read the store. */
  reunites(fault: Extract<Fault, { kind: 'partition' }>): void {
    if (!fault.gap) return;
    for (const subscriber of this.#subscribers.keys())
      if (subscriber.alive && [fault.process, fault.other].includes(subscriber.processIndex))
        this.reconnects(subscriber, 0, `after ${fault.id}`);
  }

  #deliver(subscriber: Incarnation, label: string, notification: StoreNotification, laterMs = 0): void {
    const random = randomStream(this.#plan.seed, label);
    const delayMs = this.delay(random) + (laterMs === 0 ? 0 : random.between(0, laterMs));
    const { epoch } = this;
    this.#scheduler.schedule(delayMs, subscriber, label, () => {
      if (epoch === this.epoch || notification.gap) this.#receive(subscriber, notification);
    });
  }

  /** A process that may have missed notifications looks first whether the database has lost commits. */
  #receive(subscriber: Incarnation, notification: StoreNotification): void {
    if (!notification.gap || !this.hasLostCommits(subscriber)) this.#subscribers.get(subscriber)?.(notification);
  }

  /** Delay of a message. */
  delay(random: Random): number {
    const { usualMs, slowMs, slow } = this.#plan.latency;
    return !this.faultsOver && random.chance(slow) ? random.between(0, slowMs) : random.between(0, usualMs);
  }

  /** The fault of the next commit of a process. */
  commitFault(processIndex: number): CommitFault | null {
    const nth = (this.#commits.get(processIndex) ?? 0) + 1;
    this.#commits.set(processIndex, nth);
    if (this.faultsOver) return null;
    const isIt = (fault: Fault): fault is CommitFault =>
      fault.kind === 'commit' && fault.process === processIndex && fault.nth === nth;
    return this.#plan.faults.find(isIt) ?? null;
  }

  /** Whether the database is unreachable for a process. */
  isOut(processIndex: number): boolean {
    return this.#active('outage').some(({ process }) => process === processIndex);
  }

  /** The longest time that a reply to a read of a process may take in addition. */
  slowReadMs(processIndex: number): number {
    const slow = this.#active('slow reads').filter(({ process }) => process === processIndex);
    return Math.max(0, ...slow.map(({ upToMs }) => upToMs));
  }

  #notificationFault(processIndex: number): 'lost' | 'twice' | 'late' | 'again' | null {
    return this.#active('notifications').find(({ process }) => process === processIndex)?.how ?? null;
  }

  #isCutOff(subscriber: Incarnation, from: object): boolean {
    if (!(from instanceof Incarnation)) return false;
    const pair = [subscriber.processIndex, from.processIndex];
    return this.#active('partition').some(({ process, other }) => pair.includes(process) && pair.includes(other));
  }

  #active<K extends TimedFault['kind']>(kind: K): readonly Extract<Fault, { kind: K }>[] {
    if (this.faultsOver) return [];
    return this.#plan.faults.filter(
      (fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind && this.#isActive(fault as TimedFault),
    );
  }

  #isActive({ atMs, forMs }: { readonly atMs: number; readonly forMs: number }): boolean {
    const nowMs = this.#scheduler.nowMs - START_MS;
    return nowMs >= atMs && nowMs < atMs + forMs;
  }
}

/** A pending request. */
interface Request<T> {
  /** When it was sent. */
  readonly epoch: number;
  readonly label: string;
  readonly name: string;
  readonly write: boolean;
  readonly execute: () => T;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One connection of one incarnation of a process. Writes are executed in the order in which they were sent. */
class Connection implements Transport {
  readonly #network: Network;
  readonly #shared: boolean;
  readonly #scheduler: Scheduler;
  readonly #incarnation: Incarnation;
  readonly #random: Random;
  readonly messages: ProcessMessages;
  #requests = 0;
  #lastWriteAtMs = 0;
  closed = false;

  constructor(network: Network, { seed, shared }: Plan, scheduler: Scheduler, incarnation: Incarnation) {
    this.#network = network;
    this.#shared = shared;
    this.#scheduler = scheduler;
    this.#incarnation = incarnation;
    this.#random = randomStream(seed, 'network', incarnation.id);
    const self = uuidOf(seed, incarnation.id);
    this.messages = {
      self,
      send: (messages) => this.call('messages', false, () => network.send(incarnation, messages)),
      receive: (receiver) => network.receive(incarnation, self, receiver),
    };
  }

  call<T>(name: string, write: boolean, execute: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#incarnation.alive) return;
      const label = `${this.#incarnation.id} ${name} ${++this.#requests}`;
      const fault = name === 'commit' ? this.#network.commitFault(this.#incarnation.processIndex) : null;
      const { epoch } = this.#network;
      const request = { epoch, label, name, write, resolve, reject };
      this.#send(name === 'commit' ? this.#counted({ ...request, execute }) : { ...request, execute }, fault);
    });
  }

  /** A commit, which is rejected if the database lacks others. */
  #counted<T>(request: Request<T>): Request<T> {
    let count = 0;
    return {
      ...request,
      execute: () => {
        if (this.#network.hasLostCommits(this.#incarnation))
          throw new StoreError('store_unavailable', `${request.label}: the database has gone back to an earlier state`);
        const result = request.execute();
        count = this.#network.onApplied(this.#incarnation);
        return result;
      },
      resolve: (result) => {
        this.#network.onAcknowledged(this.#incarnation, count);
        request.resolve(result);
      },
    };
  }

  watch(onNotification: (notification: StoreNotification) => void): () => void {
    return this.#network.watch(this.#incarnation, onNotification);
  }

  close(): void {
    this.closed = true;
  }

  #send<T>(request: Request<T>, fault: CommitFault | null): void {
    const isOut = this.#network.isOut(this.#incarnation.processIndex);
    if (fault?.how === 'crash before') this.#incarnation.crash(fault.downMs);
    // On an exclusive database an error means that nothing was applied; on a shared one only the reply may be lost.
    else if (fault?.how === 'refused' || (isOut && (!this.#shared || this.#random.chance(0.7)))) this.#fail(request);
    else if (fault?.how === 'late' && this.#shared) this.#executeLate(request);
    // An exclusive engine runs in the process itself: the transaction is complete when the call returns.
    else if (!this.#shared) this.#execute(request, fault, isOut);
    else if (fault?.how === 'dropped') this.#drop(request, fault.downMs);
    else {
      const attempts = fault?.how === 'contention' ? this.#random.between(1, MAX_ATTEMPTS + 5) : 0;
      const contentionMs = this.#contentionMs(Math.min(attempts, MAX_ATTEMPTS));
      if (attempts > MAX_ATTEMPTS) {
        this.#fail(request, contentionMs);
        return;
      }
      const delayMs =
        contentionMs +
        Math.max(this.#network.delay(this.#random), request.write ? this.#lastWriteAtMs - this.#scheduler.nowMs : 0);
      if (request.write) this.#lastWriteAtMs = this.#scheduler.nowMs + delayMs;
      // A sent request may be executed even if its sender dies in the meantime.
      const sender = this.#random.chance(0.5) ? null : this.#incarnation;
      this.#scheduler.schedule(delayMs, sender, `${request.label} is executed`, () => this.#execute(request, fault, isOut));
    }
  }

  #execute<T>({ execute, ...request }: Request<T>, fault: CommitFault | null, isOut: boolean): void {
    if (request.epoch !== this.#network.epoch) {
      this.#fail(request);
      return;
    }
    let answer: () => void;
    try {
      const result = execute();
      answer = () => request.resolve(result);
    } catch (error) {
      answer = () => request.reject(error);
    }
    if (fault?.how === 'crash after') this.#incarnation.crash(fault.downMs);
    else if ((fault?.how === 'lost' || isOut) && this.#shared) this.#fail(request);
    else {
      const usualMs = fault?.how === 'slow' ? this.#random.between(1_000, 20_000) : this.#network.delay(this.#random);
      const slowMs = request.write ? 0 : this.#network.slowReadMs(this.#incarnation.processIndex);
      const replyMs = usualMs + (slowMs === 0 ? 0 : this.#random.between(0, slowMs));
      if (this.#shared && request.name === 'commit' && replyMs > EARLY_READ_MS && this.#random.chance(0.7))
        this.#network.reconnects(this.#incarnation, this.#random.between(0, replyMs), request.label);
      this.#scheduler.schedule(replyMs, this.#incarnation, `${request.label} is answered`, () => {
        if (request.epoch === this.#network.epoch) answer();
        else this.#fail(request);
      });
    }
  }

  /** The sender gives up before its request arrives. */
  #executeLate<T>(request: Request<T>): void {
    this.#fail(request);
    this.#scheduler.schedule(this.#random.between(0, 2 * FAILURE_MS), null, `${request.label} is executed late`, () => {
      if (request.epoch === this.#network.epoch) request.execute();
    });
  }

  /**
   * The connection breaks after COMMIT was sent. The engine asks the database whether the commit was applied, and commits again if it was not; if
   * the database is unreachable for long, it gives up, and the sender does not know the outcome.
   */
  #drop<T>(request: Request<T>, awayMs: number): void {
    const { label, execute, resolve } = request;
    const isApplied = this.#random.chance(0.5);
    const wasApplied = isApplied ? execute() : null;
    const backMs = Math.min(awayMs, RESOLVE_MS) + this.#network.delay(this.#random);
    this.#lastWriteAtMs = this.#scheduler.nowMs + backMs;
    if (awayMs > RESOLVE_MS) this.#fail(request, RESOLVE_MS);
    else
      this.#scheduler.schedule(backMs, this.#incarnation, `${label} is resolved`, () => {
        if (request.epoch !== this.#network.epoch) this.#fail(request);
        else if (isApplied) resolve(wasApplied as T);
        else this.#execute(request, null, false);
      });
  }

  /** Duration of attempts that end with serialization failures. */
  #contentionMs(attempts: number): number {
    return Array.from({ length: attempts }, () => this.#random.between(1, ATTEMPT_MS)).reduce((sum, ms) => sum + ms, 0);
  }

  #fail({ label, reject }: Pick<Request<never>, 'label' | 'reject'>, afterMs = 0): void {
    const error = new StoreError('store_unavailable', `${label}: the connection broke`);
    const delayMs = afterMs + this.#random.between(0, FAILURE_MS);
    this.#scheduler.schedule(delayMs, this.#incarnation, `${label} fails`, () => reject(error));
  }
}

/** Start time of each simulation; times in plans are relative to it. */
export const START_MS = Date.UTC(2026, 2, 12, 10);

const GAP: StoreNotification = { ...NOTHING, gap: true };
