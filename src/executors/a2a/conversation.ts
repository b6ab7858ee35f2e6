import { setTimeout as delay } from 'node:timers/promises';
import type { Message, StreamResponse, Task } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import type { Json } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { BeginSignal, untilAborted } from './begin-signal.ts';
import { clientOf } from './client.ts';
import { partsOf, reportedUsage, textOf, withArtifact } from './content.ts';
import { abortFailure, failureOf, isReason } from './failure.ts';
import { type ReachedAgent, streams, takesJson } from './remote-agents.ts';

/** The first wait for news of a task, and the longest. */
const POLL_MS = { first: 200, longest: 5_000, factor: 1.5 };

/** States of A2A, by the numbers of the SDK. */
const STATE = {
  unspecified: 0,
  submitted: 1,
  working: 2,
  completed: 3,
  failed: 4,
  canceled: 5,
  inputRequired: 6,
  rejected: 7,
  authRequired: 8,
} as const;

export interface OutgoingMessage {
  readonly messageId: string;
  /** A task that the message continues; empty = a new one. */
  readonly taskId: string;
  readonly contextId: string;
  readonly skill: string;
  readonly input: Json;
}

export interface ConversationOptions {
  readonly agent: ReachedAgent;
  readonly outbound: Outbound;
  readonly signal: AbortSignal;
  /** No attempt follows that would go on with what this one has begun. */
  readonly isLastAttempt: boolean;
  /** Whether news of a task is streamed, if the agent can. */
  readonly stream: boolean;
  /** The agent has taken a task on. Awaited before its news. */
  readonly onTask: (task: { readonly id: string; readonly contextId: string }) => Promise<void>;
  /** A streamed part of a text. */
  readonly onText?: (text: string) => void;
  /** A streamed part of the output, or news of the task. */
  readonly onPart?: (part: StreamedPart) => Promise<void>;
}

export interface StreamedPart {
  readonly text: string;
  readonly metadata: unknown;
}

/** How the agent has answered a message. */
export type Answer =
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'completed'; readonly task: Task }
  | { readonly type: 'input_required'; readonly task: Task; readonly text: string };

/** An exchange of messages with one agent, by the official client. Its methods reject with `WorkError`. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #client: Client;
  readonly #isStreamed: boolean;
  #usage: Usage | null = null;

  private constructor(options: ConversationOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#isStreamed = options.stream && streams(options.agent.card);
  }

  static async open(options: ConversationOptions): Promise<Conversation> {
    if (options.signal.aborted) throw abortFailure(options.signal, options.agent.address.name);
    return new Conversation(options, await clientOf(options.agent, options.outbound));
  }

  /** What the agent has said so far that its task has used; null = nothing. */
  get usage(): Usage | null {
    return this.#usage;
  }

  /**
   * Sends a message and waits for the end of its task, or for a question. A task that the agent takes on after the attempt was given up is
   * cancelled as soon as the agent has named it.
   */
  send(message: OutgoingMessage): Promise<Answer> {
    const { signal, isLastAttempt } = this.#options;
    const begin = new BeginSignal(signal, isLastAttempt);
    return this.#guarded(() => untilAborted(this.#sent(message, begin), signal));
  }

  async #sent(message: OutgoingMessage, begin: BeginSignal): Promise<Answer> {
    const request = this.#request(message);
    const call = { signal: begin.signal };
    if (this.#isStreamed) return this.#follow(this.#client.sendMessageStream(request, call), null, begin);
    const answer = await this.#client.sendMessage(request, call);
    if (!isTask(answer)) return { type: 'message', message: answer };
    await this.#begun(answer, begin);
    return this.#poll(answer);
  }

  /** Logs the task that the agent has taken on. If that is too late, the agent is asked to stop it. */
  async #begun(task: Task, begin: BeginSignal): Promise<void> {
    try {
      await this.#options.onTask({ id: task.id, contextId: task.contextId });
    } catch (error) {
      if (begin.isGivenUp && !isSettled(task)) await this.#client.cancelTask(cancelOf(task.id), { signal: begin.signal });
      throw error;
    } finally {
      begin.begun();
    }
  }

  /**
   * Waits for the end of a task that was begun before, or for a question. Null = the agent does not know it any more, or it has ended
   * without a result: the work must be begun anew.
   */
  resume(taskId: string): Promise<Answer | null> {
    return this.#guarded(async () => {
      let task: Task;
      try {
        task = await this.#client.getTask({ tenant: '', id: taskId }, this.#call);
      } catch (error) {
        if (isReason(error, 'TASK_NOT_FOUND')) return null;
        throw error;
      }
      const state = stateOf(task);
      if (state === STATE.failed || state === STATE.canceled || state === STATE.rejected) return null;
      if (this.#isStreamed && !isSettled(task))
        return this.#follow(this.#client.resubscribeTask({ tenant: '', id: taskId }, this.#call), task, null);
      return this.#poll(task);
    });
  }

  /** Asks the agent to stop a task. */
  async cancel(taskId: string): Promise<void> {
    await this.#guarded(() => this.#client.cancelTask(cancelOf(taskId), this.#call));
  }

  get #call() {
    return { signal: this.#options.signal };
  }

  #request({ messageId, taskId, contextId, skill, input }: OutgoingMessage) {
    return {
      tenant: '',
      message: {
        messageId,
        contextId,
        taskId,
        role: 1,
        parts: partsOf(input, takesJson(this.#options.agent.card, skill)),
        metadata: skill === '' ? undefined : { skill },
        extensions: [],
        referenceTaskIds: [],
      },
      configuration: {
        acceptedOutputModes: ['application/json', 'text/plain'],
        taskPushNotificationConfig: undefined,
        // The state of a task that goes on is that of before, until the agent has read the message.
        returnImmediately: taskId === '',
      },
      metadata: undefined,
    };
  }

  /** Follows the stream of a task; if it ends early, goes on by asking. `begin`: of a task that the stream begins. */
  async #follow(
    stream: AsyncGenerator<StreamResponse, void, undefined>,
    known: Task | null,
    begin: BeginSignal | null,
  ): Promise<Answer> {
    let task = known;
    try {
      for (let next = await this.#next(stream, task); next !== null; next = await this.#next(stream, task)) {
        const { payload } = next;
        if (payload === undefined) continue;
        if (payload.$case === 'message') return { type: 'message', message: payload.value };
        const isNew = task === null;
        task = this.#noted(withNews(task, payload));
        if (isNew && begin !== null) await this.#begun(task, begin);
        const part = partIn(payload);
        if (part.text !== '') this.#options.onText?.(part.text);
        await this.#options.onPart?.(part);
        if (isSettled(task)) return this.#settled(task);
      }
    } finally {
      await stream.return();
    }
    if (task === null)
      throw new WorkError(`agent "${this.#name}" ended its stream without an answer`, {
        retryable: true,
        errorClass: 'connection_reset',
      });
    return this.#poll(await this.#news(task.id));
  }

  /** The next event. Null = the stream has ended, or is broken while its task may go on. */
  async #next(stream: AsyncGenerator<StreamResponse, void, undefined>, task: Task | null): Promise<StreamResponse | null> {
    const { signal } = this.#options;
    try {
      const { done, value } = await stream.next();
      return done === true ? null : (value as StreamResponse);
    } catch (error) {
      const failure = failureOf(error, this.#name, this.#secrets, signal);
      // What the guard has cut off is no broken stream.
      if (task === null || signal.aborted || !failure.retryable) throw failure;
      return null;
    }
  }

  /** Asks for news until the task has ended, or the agent asks a question. */
  async #poll(first: Task): Promise<Answer> {
    let task = this.#noted(first);
    for (let waitMs = POLL_MS.first; !isSettled(task); waitMs = Math.min(waitMs * POLL_MS.factor, POLL_MS.longest)) {
      await delay(waitMs, undefined, { signal: this.#options.signal });
      task = this.#noted(await this.#news(task.id));
    }
    return this.#settled(task);
  }

  #noted(task: Task): Task {
    this.#usage = reportedUsage(task.metadata) ?? this.#usage;
    return task;
  }

  #news(id: string): Promise<Task> {
    return this.#client.getTask({ tenant: '', id }, this.#call);
  }

  #settled(task: Task): Answer {
    const text = textOf(task.status?.message?.parts ?? []);
    switch (stateOf(task)) {
      case STATE.completed:
        return { type: 'completed', task };
      case STATE.inputRequired:
        return { type: 'input_required', task, text };
      case STATE.authRequired:
        throw this.#ended('needs a credential that the workflow does not give', text, 'auth_required', false);
      case STATE.rejected:
        throw this.#ended('rejected the task', text, 'task_rejected', false);
      case STATE.canceled:
        throw this.#ended('cancelled the task', text, 'task_canceled', true);
      default:
        throw this.#ended('failed the task', text, 'task_failed', true);
    }
  }

  #ended(what: string, text: string, errorClass: string, retryable: boolean): WorkError {
    return new WorkError(`agent "${this.#name}" ${what}${text === '' ? '' : `: ${shortened(text, 1_500)}`}`, {
      retryable,
      errorClass,
      ...(this.#usage === null ? {} : { usage: this.#usage }),
    });
  }

  async #guarded<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw failureOf(error, this.#name, this.#secrets, this.#options.signal);
    }
  }

  get #name(): string {
    return this.#options.agent.address.name;
  }

  get #secrets(): readonly string[] {
    return this.#options.agent.address.credential.secrets;
  }
}

function cancelOf(id: string) {
  return { tenant: '', id, metadata: undefined };
}

function isTask(answer: Message | Task): answer is Task {
  return 'artifacts' in answer || 'status' in answer;
}

function stateOf(task: Task): number {
  return task.status?.state ?? STATE.unspecified;
}

/** Does nothing more happen to the task unless a message comes? */
function isSettled(task: Task): boolean {
  const state = stateOf(task);
  return state !== STATE.unspecified && state !== STATE.submitted && state !== STATE.working;
}

type News = Exclude<NonNullable<StreamResponse['payload']>, { readonly $case: 'message' }>;

/** The task after a streamed event. */
function withNews(task: Task | null, news: News): Task {
  if (news.$case === 'task') return news.value;
  const { taskId, contextId } = news.value;
  const known = task ?? { id: taskId, contextId, status: undefined, artifacts: [], history: [], metadata: undefined };
  if (news.$case === 'statusUpdate')
    return { ...known, status: news.value.status, metadata: { ...known.metadata, ...news.value.metadata } };
  const { artifact, append } = news.value;
  return artifact === undefined ? known : { ...known, artifacts: withArtifact(known.artifacts, artifact, append) };
}

function partIn(news: News): StreamedPart {
  if (news.$case === 'artifactUpdate') return { text: textOf(news.value.artifact?.parts ?? []), metadata: news.value.metadata };
  const { metadata } = news.value;
  // Runtimes of this kind show what their models write in the messages of their status.
  const isText = news.$case === 'statusUpdate' && metadata?.delta !== undefined;
  return { text: isText ? textOf(news.value.status?.message?.parts ?? []) : '', metadata };
}
