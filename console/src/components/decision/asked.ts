import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import type { ApprovalItem } from '../../../../src/client/index.ts';

/** What a person is asked: an item of the inbox, or a pending approval of an execution. */
export type Asked = Pick<
  ApprovalItem,
  'execution_id' | 'node_id' | 'kind' | 'tool_name' | 'message' | 'context' | 'sequence' | 'waiting_since' | 'expires_at'
>;

export type Decision = 'approved' | 'rejected';

/** A tool call of a model that a policy holds. */
export interface HeldCall {
  readonly name: string;
  /** Undefined = too large to be shown. */
  readonly args: Json | undefined;
}

export function heldCalls({ calls }: JsonObject): readonly HeldCall[] {
  if (!Array.isArray(calls)) return [];
  const listed: readonly Json[] = calls;
  return listed.filter(isObject).map((call) => ({ name: String(call.name), args: call.arguments }));
}
