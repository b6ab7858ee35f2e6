import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { AgentTool } from '../../../machines/nodes/agent-tool.ts';
import { type AgentCall, overBudget, summary } from './call.ts';

const DEFAULT_TURNS = 5;
export const firstTurn = 1;

/** What an agent gave. */
export interface ToolResult {
  readonly output: Json;
  /** Turns of the conversation; null = it was none. */
  readonly turns: number | null;
}

/**
 * The turns of a conversation. The messages are those of the input if it is a list, in order; then, as with any other input after the first
 * turn, the agent is sent what it said last.
 */
export class Turns {
  readonly #kind: Pick<AgentTool, 'max_turns' | 'max_tokens_per_turn'>;
  readonly #messages: readonly Json[];
  readonly #call: AgentCall;
  #number: number;
  #lastSaid: Json = null;
  /** The answer of this turn has been logged by an earlier attempt. */
  #isLogged: boolean;

  /** `logged`: the last turn that an earlier attempt has logged, which goes on. */
  constructor(
    kind: Pick<AgentTool, 'max_turns' | 'max_tokens_per_turn'>,
    message: Json,
    call: AgentCall,
    logged: JsonObject | undefined,
  ) {
    this.#kind = kind;
    this.#messages = Array.isArray(message) && message.length > 0 ? (message as readonly Json[]) : [message];
    this.#call = call;
    this.#number = Math.max(firstTurn, Number(logged?.turn_number ?? firstTurn));
    this.#isLogged = logged?.direction === 'inbound';
  }

  get number(): number {
    return this.#number;
  }

  /** The message of this turn, which is logged. */
  async next(): Promise<Json> {
    const message = this.#messages[this.#number - 1] ?? this.#lastSaid;
    await this.#log('outbound', message, {});
    return message;
  }

  /** Logs the answer, and says whether the conversation is over. Throws `WorkError` `budget_exceeded`. */
  async answered(output: Json, usage: Usage, isCompleted: boolean): Promise<boolean> {
    if (!this.#isLogged) await this.#log('inbound', output, usage);
    this.#isLogged = false;
    const { max_tokens_per_turn: most = Number.POSITIVE_INFINITY, max_turns = DEFAULT_TURNS } = this.#kind;
    const tokens = tokensOf(usage);
    this.#call.spend(usage);
    if (tokens > most) throw overBudget(`turn ${this.#number} has used ${tokens} tokens, of at most ${most}`);
    return isCompleted || this.#number >= Math.max(max_turns, firstTurn);
  }

  advance(output: Json): void {
    this.#number += 1;
    this.#lastSaid = output;
  }

  async #log(direction: 'outbound' | 'inbound', content: Json, usage: Usage): Promise<void> {
    await this.#call.log('agent_tool_turn', {
      turn_number: this.#number,
      direction,
      content_summary: summary(typeof content === 'string' ? content : JSON.stringify(content)),
      tokens: tokensOf(usage),
      cost: usage.cost_usd ?? 0,
    });
  }
}

function tokensOf({ input_tokens = 0, output_tokens = 0 }: Usage): number {
  return input_tokens + output_tokens;
}
