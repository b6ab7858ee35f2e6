import type { Json } from '../../../machines/json.ts';
import { ApiError, type JamjetClient } from '../../client/index.ts';
import type { Timeline } from '../../views/timeline.ts';
import type { Paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { approvalLines } from './approval.ts';

/** Where questions are asked: a terminal, or standard input with the answers. */
export interface Asker {
  print(line: string): void;
  /** Resolves to the answer; null if the signal is aborted or there are no more. */
  ask(question: string, options: { readonly signal: AbortSignal; readonly interrupted: () => void }): Promise<string | null>;
}

interface Question {
  readonly executionId: string;
  readonly node: string;
  /** Printed name, prefixed by the nodes of parent executions. */
  readonly name: string;
  /** Correlation key of an awaited event; null for an approval. */
  readonly key: string | null;
  /** Aborted when the question no longer needs an answer. */
  readonly withdrawn: AbortController;
  asked: boolean;
}

/** Asks at the terminal for approvals and, optionally, for awaited events; one question at a time. */
export class Prompter {
  readonly #client: JamjetClient;
  readonly #screen: Asker;
  readonly #paint: Paint;
  readonly #asksForEvents: boolean;
  readonly #onInterrupt: () => void;
  readonly #open = new Map<string, Question>();
  #processing: Promise<void> | null = null;
  #rejectFailed: ((error: unknown) => void) | null = null;

  /** Rejects if an answer cannot be delivered; never resolves. */
  readonly failed: Promise<never>;

  constructor(options: {
    readonly client: JamjetClient;
    readonly screen: Asker;
    readonly paint: Paint;
    /** Set only if no other process can send events. */
    readonly asksForEvents: boolean;
    readonly interrupted: () => void;
  }) {
    this.#client = options.client;
    this.#screen = options.screen;
    this.#paint = options.paint;
    this.#asksForEvents = options.asksForEvents;
    this.#onInterrupt = options.interrupted;
    this.failed = new Promise((_resolve, reject) => {
      this.#rejectFailed = reject;
    });
    // Prevents an unhandled rejection after the follower has finished.
    this.failed.catch(() => undefined);
  }

  /** Whether a question is being asked, or its answer delivered. */
  get isBusy(): boolean {
    return this.#processing !== null;
  }

  /** Synchronizes the questions with what the execution waits for: adds new ones and withdraws settled ones. */
  update(executionId: string, prefix: string, timeline: Timeline): void {
    const wanted = new Map<string, Question>();
    const addQuestion = (node: string, key: string | null) => {
      const name = JSON.stringify([executionId, node, key]);
      wanted.set(
        name,
        this.#open.get(name) ?? { executionId, node, name: prefix + node, key, withdrawn: new AbortController(), asked: false },
      );
    };
    for (const approval of timeline.approvals) addQuestion(approval.node, null);
    if (this.#asksForEvents) for (const [node, key] of timeline.awaitedEvents) addQuestion(node, key);
    for (const [name, question] of this.#open) {
      if (question.executionId === executionId && !wanted.has(name)) this.#withdraw(name);
    }
    for (const [name, question] of wanted) this.#open.set(name, question);
    this.#processQueue();
  }

  withdrawExecution(executionId: string): void {
    for (const [name, question] of this.#open) if (question.executionId === executionId) this.#withdraw(name);
  }

  close(): void {
    for (const name of this.#open.keys()) this.#withdraw(name);
  }

  #withdraw(name: string): void {
    this.#open.get(name)?.withdrawn.abort();
    this.#open.delete(name);
  }

  #processQueue(): void {
    this.#processing ??= this.#askOpenQuestions().finally(() => {
      this.#processing = null;
      if (this.#nextQuestion() !== undefined) this.#processQueue();
    });
  }

  #nextQuestion(): Question | undefined {
    return [...this.#open.values()].find((question) => !question.asked);
  }

  async #askOpenQuestions(): Promise<void> {
    for (;;) {
      // Yield first: `#processing` is not assigned yet, and events of one commit are applied together.
      await Promise.resolve();
      const question = this.#nextQuestion();
      if (question === undefined) return;
      question.asked = true;
      try {
        await (question.key === null ? this.#askDecision(question) : this.#askPayload(question, question.key));
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) this.#printNote(`already decided: ${error.message}`);
        else if (error instanceof ApiError && error.status === 403) this.#printNote(`not permitted: ${error.message}`);
        else this.#rejectFailed?.(error);
      }
    }
  }

  async #askDecision(question: Question): Promise<void> {
    const approvals = await this.#client.approvals(question.executionId);
    const pending = approvals.pending.find((candidate) => candidate.node_id === question.node);
    if (pending === undefined || question.withdrawn.signal.aborted) return;
    for (const line of approvalLines(pending, Date.now(), this.#paint)) this.#screen.print(line);
    this.#screen.print('');
    const prompt = `    ${this.#paint.yellow('?')} Approve ${this.#paint.bold(plain(question.name))}? ${this.#paint.dim('(y or n, optionally with a comment; s shows the state)')} `;
    for (;;) {
      const answer = await this.#ask(prompt, question);
      if (answer === null) return;
      const [, word = '', comment = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(answer) ?? [];
      if (/^s(tate)?$/i.test(word)) await this.#showState(question);
      const decision = /^(y|yes|approve|approved)$/i.test(word)
        ? 'approved'
        : /^(n|no|reject|rejected)$/i.test(word)
          ? 'rejected'
          : null;
      if (decision === null) {
        if (word !== '' && !/^s(tate)?$/i.test(word)) this.#printNote(`answer y or n: ${plain(word)} is neither`);
        continue;
      }
      await this.#client.approve(question.executionId, {
        decision,
        node_id: question.node,
        ...(comment === '' ? {} : { comment }),
      });
      return;
    }
  }

  async #askPayload(question: Question, key: string): Promise<void> {
    const prompt = `    ${this.#paint.yellow('?')} Event ${this.#paint.bold(plain(key))}: payload ${this.#paint.dim('(JSON, {} for none; Enter to skip)')} `;
    for (;;) {
      const answer = await this.#ask(prompt, question);
      if (answer === null || answer.trim() === '') return;
      let payload: Json;
      try {
        payload = JSON.parse(answer) as Json;
      } catch (error) {
        this.#printNote(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
        continue;
      }
      await this.#client.sendEvent(question.executionId, { key, payload });
      return;
    }
  }

  #ask(prompt: string, question: Question): Promise<string | null> {
    return this.#screen.ask(prompt, { signal: question.withdrawn.signal, interrupted: this.#onInterrupt });
  }

  async #showState(question: Question): Promise<void> {
    const { state } = await this.#client.execution(question.executionId);
    for (const line of JSON.stringify(state, null, 2).split('\n')) this.#printNote(plain(line));
  }

  #printNote(text: string): void {
    this.#screen.print(`    ${this.#paint.dim(text)}`);
  }
}
