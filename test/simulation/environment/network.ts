import { StoreError } from '../../../store/port/errors.ts';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import type { Random } from '../../support/random.ts';
import type { Fault, Plan } from '../plan.ts';
import { type DatabaseObserver, NOTHING } from '../store/memory-database.ts';
import type { Transport } from '../store/memory-store.ts';
import type { Incarnation } from './incarnation.ts';
import { randomStream } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';

/** Interval at which subscribers read the store, because notifications can be lost. */
const POLL_MS = 30_000;
/** Time until a request on a broken connection fails. */
const FAILURE_MS = 200;

/** If the reply to a commit takes longer than this, its sender often reads the store before. */
const EARLY_READ_MS = 500;

type CommitFault = Extract<Fault, { kind: 'commit' }>;

/** Connections between runtime processes and the database, with delays, loss, reordering and duplication drawn from the seed. */
export class Network {
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #subscribers = new Map<Incarnation, (notification: StoreNotification) => void>();
  /** Number of commits by process index. */
  readonly #commits = new Map<number, number>();
  #notifications = 0;
  /** No more faults. */
  faultsOver = false;

  constructor(plan: Plan, scheduler: Scheduler) {
    this.#plan = plan;
    this.#scheduler = scheduler;
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
      const how = this.faultsOver ? null : this.#notificationFault(subscriber.processIndex);
      if (how === 'lost') continue;
      this.#deliver(subscriber, label, notification);
      if (how === 'twice') this.#deliver(subscriber, `${label} twice`, notification);
    }
  };

  /** Breaks and restores the notification connection, so that the subscriber reads the store. */
  reconnects(subscriber: Incarnation, inMs: number, label: string): void {
    this.#scheduler.schedule(inMs, subscriber, `${label} ${subscriber.id} reconnects`, () =>
      this.#subscribers.get(subscriber)?.(GAP),
    );
  }

  #deliver(subscriber: Incarnation, label: string, notification: StoreNotification): void {
    const delayMs = this.delay(randomStream(this.#plan.seed, label));
    this.#scheduler.schedule(delayMs, subscriber, label, () => this.#subscribers.get(subscriber)?.(notification));
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
    if (this.faultsOver) return false;
    return this.#plan.faults.some((fault) => fault.kind === 'outage' && fault.process === processIndex && this.#isActive(fault));
  }

  #notificationFault(processIndex: number): 'lost' | 'twice' | null {
    for (const fault of this.#plan.faults)
      if (fault.kind === 'notifications' && fault.process === processIndex && this.#isActive(fault)) return fault.how;
    return null;
  }

  #isActive({ atMs, forMs }: { readonly atMs: number; readonly forMs: number }): boolean {
    const nowMs = this.#scheduler.nowMs - START_MS;
    return nowMs >= atMs && nowMs < atMs + forMs;
  }
}

/** A pending request. */
interface Request<T> {
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
  #requests = 0;
  #lastWriteAtMs = 0;
  closed = false;

  constructor(network: Network, { seed, shared }: Plan, scheduler: Scheduler, incarnation: Incarnation) {
    this.#network = network;
    this.#shared = shared;
    this.#scheduler = scheduler;
    this.#incarnation = incarnation;
    this.#random = randomStream(seed, 'network', incarnation.id);
  }

  call<T>(name: string, write: boolean, execute: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#incarnation.alive) return;
      const label = `${this.#incarnation.id} ${name} ${++this.#requests}`;
      const fault = name === 'commit' ? this.#network.commitFault(this.#incarnation.processIndex) : null;
      this.#send({ label, name, write, execute, resolve, reject }, fault);
    });
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
    else {
      const delayMs = Math.max(
        this.#network.delay(this.#random),
        request.write ? this.#lastWriteAtMs - this.#scheduler.nowMs : 0,
      );
      if (request.write) this.#lastWriteAtMs = this.#scheduler.nowMs + delayMs;
      // A sent request may be executed even if its sender dies in the meantime.
      const sender = this.#random.chance(0.5) ? null : this.#incarnation;
      this.#scheduler.schedule(delayMs, sender, `${request.label} is executed`, () => this.#execute(request, fault, isOut));
    }
  }

  #execute<T>({ execute, ...request }: Request<T>, fault: CommitFault | null, isOut: boolean): void {
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
      const replyMs = fault?.how === 'slow' ? this.#random.between(1_000, 20_000) : this.#network.delay(this.#random);
      if (this.#shared && request.name === 'commit' && replyMs > EARLY_READ_MS && this.#random.chance(0.7))
        this.#network.reconnects(this.#incarnation, this.#random.between(0, replyMs), request.label);
      this.#scheduler.schedule(replyMs, this.#incarnation, `${request.label} is answered`, answer);
    }
  }

  /** The sender gives up before its request arrives. */
  #executeLate<T>(request: Request<T>): void {
    this.#fail(request);
    this.#scheduler.schedule(this.#random.between(0, 2 * FAILURE_MS), null, `${request.label} is executed late`, request.execute);
  }

  #fail({ label, reject }: Pick<Request<never>, 'label' | 'reject'>): void {
    const error = new StoreError('store_unavailable', `${label}: the connection broke`);
    this.#scheduler.schedule(this.#random.between(0, FAILURE_MS), this.#incarnation, `${label} fails`, () => reject(error));
  }
}

/** Start time of each simulation; times in plans are relative to it. */
export const START_MS = Date.UTC(2026, 2, 12, 10);

const GAP: StoreNotification = { ...NOTHING, gap: true };
