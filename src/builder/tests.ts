import type { Json, JsonObject } from '../../machines/json.ts';
import type { Status } from '../../machines/run.ts';

/** What a scripted answer has used. */
export interface ReplyUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
}

/** A decision on an approval, and by whom. */
export type TestDecision = true | { readonly user?: string; readonly comment?: string; readonly statePatch?: Json };

/** What a node is answered in a test: its output as it is, or an object that says more. */
export type TestReply =
  | Json
  | { readonly output: Json; readonly route?: string; readonly usage?: ReplyUsage }
  | {
      readonly toolCalls: readonly { readonly name: string; readonly arguments?: JsonObject; readonly id?: string }[];
      readonly usage?: ReplyUsage;
    }
  | { readonly fail: string; readonly retryable?: boolean; readonly errorClass?: string }
  | { readonly approve: TestDecision }
  | { readonly reject: TestDecision }
  | { readonly event: Json; readonly at?: 'early' | 'on_time' | 'late' }
  | { readonly timeout: true };

/** A node, or one that carries out the calls of an agent. */
export type VisitedNode<NodeId extends string> = NodeId | `${NodeId}.${string}`;

/** A test that `jamjet test` runs, with scripted results and a simulated clock. */
export interface WorkflowTest<Input, NodeId extends string> {
  readonly name: string;
  readonly input?: Input;
  /**
   * One answer, or a list of them, one for each attempt and visit in order; the last one stays. `agent.tool` are the calls of a tool by an
   * agent.
   */
  readonly results?: { readonly [Id in VisitedNode<NodeId>]?: TestReply | readonly TestReply[] };
  readonly expect: {
    /** Default: `completed`, or `failed` with an `error`. */
    readonly status?: Exclude<Status, 'cancelled'>;
    /** All visited nodes in the order in which they ended. */
    readonly visited?: readonly VisitedNode<NodeId>[];
    readonly visitedIncludes?: readonly VisitedNode<NodeId>[];
    readonly notVisited?: readonly VisitedNode<NodeId>[];
    /** A part of the final state. */
    readonly state?: JsonObject;
    /** A part of the error of the execution or of a failed node. */
    readonly error?: string;
  };
}
