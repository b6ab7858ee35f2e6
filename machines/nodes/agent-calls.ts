import { isObject, type Json, type JsonObject } from '../json.ts';

/** A tool call that a model has asked for. */
export interface RequestedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
}

/** A tool call that is not carried out; the model is told why. It has no name of its own, so that no node takes it for a call of its tool. */
export interface RejectedCall {
  readonly id: string;
  readonly rejected: {
    readonly name: string;
    /** As the model gave them; text that is not JSON is a text. */
    readonly arguments: Json;
    /** What is wrong, and where. */
    readonly problem: string;
    /** How often in a row the model has been told of such a call, this time included. */
    readonly repair: number;
  };
}

/** A call as a conversation has it in `requested` and `calls`. */
export type AgentCall = RequestedCall | RejectedCall;

export function isRejected(call: AgentCall): call is RejectedCall {
  return 'rejected' in call;
}

/** Names of tools that begin so hand the conversation over to another agent. */
export const HANDOFF_PREFIX = 'handoff_to_';

/** How often in a row the model has been told of calls that cannot be carried out. `requested`: the calls of its last answer. */
export function repairsSoFar(requested: readonly AgentCall[]): number {
  return Math.max(0, ...requested.filter(isRejected).map(({ rejected }) => rejected.repair));
}

/** Data of the `tool_call_rejected` of an answer, from the conversation that its result writes. */
export function rejectionsIn(conversation: Json | undefined): readonly JsonObject[] {
  const requested = isObject(conversation) ? conversation.requested : undefined;
  if (!Array.isArray(requested)) return [];
  return (requested as readonly Json[]).flatMap((call) => {
    const rejected = isObject(call) ? call.rejected : undefined;
    if (!isObject(rejected)) return [];
    const { name = null, problem = null, repair = null } = rejected;
    return [{ tool: name, problem, repair }];
  });
}
