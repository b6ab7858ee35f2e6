import type { JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { AgentTool } from '../../../machines/nodes/agent-tool.ts';
import { fitted } from '../../../machines/shortened.ts';
import { type LogProgress, WorkError } from '../executor.ts';

/** Longest beginning of a text that an event has. */
const MAX_SUMMARY = 200;
/** Time between two events about parts of an output, and the most of them. */
const PROGRESS_MS = 1_000;
const MAX_PROGRESS = 100;

/** One call of an agent: what it costs, and its events in the log. */
export class AgentCall {
  readonly #budget: NonNullable<AgentTool['budget']>;
  readonly #log: LogProgress;
  readonly #onText: (text: string) => void;
  /** What a task in progress has used that is not spent yet; null = nothing that is known. */
  unfinished: () => Usage | null = () => null;
  #chunks = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #costUsd = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #text = '';

  constructor(budget: AgentTool['budget'], log: LogProgress, onText: (text: string) => void) {
    this.#budget = budget ?? {};
    this.#log = log;
    this.#onText = onText;
  }

  get chunks(): number {
    return this.#chunks;
  }

  get costUsd(): number {
    return this.#costUsd;
  }

  /** The texts that have come so far. */
  get text(): string {
    return this.#text;
  }

  /** What the agent has reported, that of a task in progress included; null = nothing. */
  get used(): Usage | null {
    return this.usage ?? this.unfinished();
  }

  /** What has been spent; null = nothing. */
  get usage(): Usage | null {
    if (this.#costUsd === 0 && this.#inputTokens === 0 && this.#outputTokens === 0) return null;
    return { input_tokens: this.#inputTokens, output_tokens: this.#outputTokens, cost_usd: this.#costUsd };
  }

  log(event: Parameters<LogProgress>[0], data: JsonObject): Promise<void> {
    return this.#log(event, data);
  }

  /** Counts what the agent reports. Throws `WorkError` `budget_exceeded` beyond the budget of the call. */
  spend({ cost_usd = 0, input_tokens = 0, output_tokens = 0 }: Usage): void {
    this.#costUsd += cost_usd;
    this.#inputTokens += input_tokens;
    this.#outputTokens += output_tokens;
    const { max_cost_usd = Number.POSITIVE_INFINITY, max_tokens = Number.POSITIVE_INFINITY } = this.#budget;
    const tokens = this.#inputTokens + this.#outputTokens;
    if (this.#costUsd > max_cost_usd) throw overBudget(`the call has cost ${this.#costUsd} USD, of at most ${max_cost_usd}`);
    if (tokens > max_tokens) throw overBudget(`the call has used ${tokens} tokens, of at most ${max_tokens}`);
  }

  /** Shows a part of the output. Parts that come close together share one event. */
  async part(text: string): Promise<void> {
    const index = this.#chunks;
    this.#chunks += 1;
    this.#text += text;
    if (text !== '') this.#onText(text);
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < PROGRESS_MS || this.#logged >= MAX_PROGRESS) return;
    this.#loggedAtMs = nowMs;
    this.#logged += 1;
    await this.#log('agent_tool_progress', { chunk_index: index, partial_output_summary: summary(text) });
  }
}

export function summary(text: string): string {
  return fitted(text, MAX_SUMMARY);
}

export function overBudget(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'budget_exceeded' });
}
