import type { A2aTaskNode, AgentDiscoveryNode, AgentNode, AgentToolNode, CoordinatorNode, ModelNode } from './agents.ts';
import type {
  ConditionNode,
  EndNode,
  EvalNode,
  HumanApprovalNode,
  JoinNode,
  LimitExceededNode,
  ParallelNode,
  PolicyNode,
  SubgraphNode,
  WaitNode,
} from './control.ts';
import type { Names } from './shared.ts';
import type {
  FinalizerNode,
  FinalizerNodeAs,
  HttpNode,
  JavaFnNode,
  McpToolNode,
  MemoryRetrievalNode,
  PythonFnNode,
  ToolNode,
  ToolNodeAs,
} from './work.ts';

/** The nodes of each kind, by its name. `Id`: the id of the node. */
export interface NodesByKind<N extends Names, Id extends string = string> {
  readonly tool: ToolNode<N, Id>;
  readonly http: HttpNode<N>;
  readonly model: ModelNode<N>;
  readonly mcp_tool: McpToolNode<N>;
  readonly a2a_task: A2aTaskNode<N>;
  readonly agent: AgentNode<N>;
  readonly memory_retrieval: MemoryRetrievalNode<N>;
  readonly agent_tool: AgentToolNode<N>;
  readonly agent_discovery: AgentDiscoveryNode<N>;
  readonly coordinator: CoordinatorNode<N>;
  readonly python_fn: PythonFnNode<N>;
  readonly java_fn: JavaFnNode<N>;
  readonly condition: ConditionNode<N>;
  readonly parallel: ParallelNode<N>;
  readonly join: JoinNode<N>;
  readonly human_approval: HumanApprovalNode<N>;
  readonly wait: WaitNode<N>;
  readonly subgraph: SubgraphNode<N>;
  readonly eval: EvalNode<N>;
  readonly limit_exceeded: LimitExceededNode;
  readonly finalizer: FinalizerNode<N, Id>;
  readonly policy: PolicyNode<N>;
  readonly end: EndNode;
}

/** Kinds of nodes. `end` is another name for the target `end`. */
export type KindName = keyof NodesByKind<Names>;

/** The kind of a node that an author has given. Default: `tool`. */
export type KindGiven<Given> = Given extends { readonly type: infer Kind } ? Kind : 'tool';

/** What a node must be of which this has been given. */
export type NodeAs<N extends Names, Id extends string, Given> =
  KindGiven<Given> extends infer Kind
    ? Kind extends 'tool'
      ? ToolNodeAs<N, Id, Given>
      : Kind extends 'finalizer'
        ? FinalizerNodeAs<N, Id, Given>
        : Kind extends keyof NodesByKind<N, Id>
          ? NodesByKind<N, Id>[Kind]
          : // So that errors list the kinds: those about a `keyof` say `keyof NodesByKind`.
            { readonly type: { [K in KindName]: K }[KindName] }
    : never;
