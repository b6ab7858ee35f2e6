import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { isBudgetNode, type Node, type Workflow } from '../ir/workflow.ts';
import { MAX_HINTS } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';
import { Retries } from './retries.ts';

/** Roles of edges that a result of work may ask for. */
export const RESULT_ROLES = ['on_input_required', 'on_blocked'] as const;
export type ResultRole = (typeof RESULT_ROLES)[number];

/** Roles of edges that belong to one outcome of a node. */
export const OUTCOME_ROLES = [
  'on_approved',
  'on_rejected',
  'on_timeout',
  ...RESULT_ROLES,
  'retry_node',
  'fallback_node',
] as const;
export type OutcomeRole = (typeof OUTCOME_ROLES)[number];

/** Whether the role is that of an edge which a node without a result takes. */
function isExceptional(role: EdgeRole): boolean {
  return role === 'on_timeout' || role === 'fallback_node';
}

/**
 * - `branch`: a branch that a choice lists;
 * - `all`: one of the branches that are started together;
 * - `if`: taken if its condition holds;
 * - `plain`: has no condition;
 * - an `OutcomeRole`: taken for that outcome alone;
 * - `wait`: a name in `wait_for` that no edge leads from. It takes no part in routing.
 */
export type EdgeRole = 'branch' | 'all' | 'if' | 'plain' | 'wait' | OutcomeRole;

/** The target `end`. */
export const END = -1;

export interface GraphEdge {
  readonly index: number;
  readonly from: number;
  /** Index of the target node, or `END`. */
  readonly to: number;
  readonly role: EdgeRole;
  readonly condition: string | null;
}

export interface EffectiveEdges {
  readonly edges: readonly GraphEdge[];
  readonly diagnostics: readonly Diagnostic[];
}

/** All edges of a workflow, each once: those that are written and the targets that nodes name. */
export function effectiveEdges(workflow: Workflow): EffectiveEdges {
  return runToEnd(effectiveEdgesCooperatively(workflow));
}

/** `effectiveEdges` as a cooperative computation. */
export function* effectiveEdgesCooperatively(workflow: Workflow): Cooperative<EffectiveEdges> {
  const collector = new EdgeCollector(workflow);
  yield* collector.addEdges();
  collector.addBranchTargets();
  yield;
  collector.addWaits();
  collector.checkStart();
  collector.addRetries();
  return collector;
}

class EdgeCollector implements EffectiveEdges {
  readonly edges: GraphEdge[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #workflow: Workflow;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #known = new Set<string>();

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
    this.#indexOf = new Map(workflow.nodes.map((node, i) => [node.id, i]));
  }

  /** Adds the edges out of each node, in the order of the document. */
  *addEdges(): Cooperative<void> {
    const written = this.#writtenEdges();
    yield;
    for (const [i, node] of this.#workflow.nodes.entries()) {
      for (const candidate of edgeCandidates(node, written.get(i) ?? [])) {
        this.#add(i, candidate);
        yield;
      }
      yield;
    }
  }

  /** Adds edges to the branch target of a node that starts branches, from those branches that have no edges but for when they time out or fail. */
  addBranchTargets(): void {
    const hasEdges = new Set(this.edges.flatMap(({ from, role }) => (isExceptional(role) ? [] : [from])));
    for (const { id, kind } of this.#workflow.nodes) {
      const definition = definitionOf(kind);
      const to = definition.branchTarget(kind);
      if (to === null) continue;
      const path = `nodes.${id}.kind.join`;
      if (to !== 'end' && !this.#indexOf.has(to)) {
        this.#addUnknownTarget(id, 'joins its branches at', to, path);
        continue;
      }
      for (const { target } of definition.branches(kind)) {
        const from = this.#indexOf.get(target);
        if (from === undefined || hasEdges.has(from)) continue;
        this.#add(from, { to, role: 'plain', condition: null, path });
        hasEdges.add(from);
      }
    }
  }

  /** Adds a `wait` edge from each node that a join waits for and no edge connects with it. */
  addWaits(): void {
    const connected = new Set(this.edges.map((edge) => `${edge.from} ${edge.to}`));
    this.#workflow.nodes.forEach(({ id, kind }, join) => {
      for (const [i, source] of definitionOf(kind).waitsForNodes(kind).entries()) {
        const from = this.#indexOf.get(source);
        if (from === undefined) {
          this.#addUnknownTarget(id, 'waits for', source, `nodes.${id}.kind.wait_for[${i}]`);
        } else if (from === join) {
          this.diagnostics.push(waitsForSuccessor(id, 'waits for itself'));
        } else if (!connected.has(`${from} ${join}`)) {
          connected.add(`${from} ${join}`);
          this.edges.push({ index: this.edges.length, from, to: join, role: 'wait', condition: null });
        }
      }
    });
  }

  checkStart(): void {
    const start = this.#workflow.start_node;
    if (this.#isFinalizer(start)) {
      const hint = 'start at another node: finalizers run before the execution ends';
      const message = `start node "${start}" is a finalizer`;
      this.diagnostics.push({ ...unknownName('starts_at_finalizer', start, '', 'start_node', hint), message });
      return;
    }
    if (this.#indexOf.has(start)) return;
    const message = `start node "${start}" does not exist`;
    this.diagnostics.push({ ...unknownName('unknown_start', null, '', 'start_node', this.#hintFor(start)), message });
  }

  /** Adds an edge back from each node that sends the work before it back to be done again. */
  addRetries(): void {
    const { nodes, start_node, on_budget_exceeded } = this.#workflow;
    const judges = nodes.flatMap(({ kind }, i) =>
      definitionOf(kind).scoring(kind)?.onFail === 'retry_with_feedback' ? [i] : [],
    );
    if (judges.length === 0) return;
    const isControl = (node: number): boolean => {
      const kind = nodes[node]?.kind;
      return kind !== undefined && definitionOf(kind).behaviour(kind) === 'control';
    };
    // What only an exceeded budget leads to has before it what is behind the node of the budget.
    const beginnings = [start_node, ...(isBudgetNode(on_budget_exceeded) ? [on_budget_exceeded] : [])];
    const paths = beginnings.flatMap((id) => {
      const beginning = this.#indexOf.get(id);
      return beginning === undefined ? [] : [new Retries(nodes.length, beginning, this.edges, isControl)];
    });
    for (const judge of judges) {
      const retries = paths.find((from) => from.isReachable(judge));
      if (retries === undefined) continue;
      const { id = '', kind } = nodes[judge] ?? {};
      const named =
        kind === undefined
          ? undefined
          : definitionOf(kind)
              .targets(kind)
              .find(({ role }) => role === 'retry_node');
      if (named === undefined) {
        const target = retries.targetOf(judge);
        if (target !== null)
          this.edges.push({ index: this.edges.length, from: judge, to: target, role: 'retry_node', condition: null });
        else this.diagnostics.push(nothingToRetry(id));
        continue;
      }
      const target = this.#indexOf.get(named.to);
      if (target === undefined ? named.to === 'end' : !retries.isBefore(target, judge))
        this.diagnostics.push(retryNotBefore(id, named.to));
    }
  }

  /** The edges of the document by the node that they leave. */
  #writtenEdges(): Map<number, WrittenEdge[]> {
    const byNode = new Map<number, WrittenEdge[]>();
    this.#workflow.edges.forEach(({ from: source, to, condition }, i) => {
      const path = `edges[${i}]`;
      const from = this.#indexOf.get(source);
      if (from === undefined) {
        const message = `edge "${source}" → "${to}": node "${source}" does not exist`;
        this.diagnostics.push({ ...unknownName('unknown_source', null, '', `${path}.from`, this.#hintFor(source)), message });
        return;
      }
      const edge = { to, condition, path: `${path}.to` };
      const list = byNode.get(from);
      if (list === undefined) byNode.set(from, [edge]);
      else list.push(edge);
    });
    return byNode;
  }

  #add(from: number, { to, role, condition, path }: EdgeCandidate): void {
    const target = to === 'end' || this.#isFinalizer(to) ? END : this.#indexOf.get(to);
    if (target === undefined) {
      this.#addUnknownTarget(this.#workflow.nodes[from]?.id ?? null, 'leads to', to, path);
      return;
    }
    const key = `${from} ${target} ${role} ${condition ?? ''}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.edges.push({ index: this.edges.length, from, to: target, role, condition });
  }

  /** What leads to a finalizer leads to the end, before which it runs. */
  #isFinalizer(id: string): boolean {
    const kind = this.#workflow.nodes[this.#indexOf.get(id) ?? -1]?.kind;
    return kind !== undefined && definitionOf(kind).runsAtEnd(kind) !== null;
  }

  #addUnknownTarget(node: string | null, problem: string, name: string, path: string): void {
    const text = `${problem} "${name}", which does not exist`;
    this.diagnostics.push(unknownName('unknown_target', node, text, path, this.#hintFor(name)));
  }

  /** The search for a similar name is slow, so only the first diagnostics have a hint. */
  #hintFor(name: string): string | null {
    return this.diagnostics.length < MAX_HINTS ? didYouMean(name, this.#indexOf.keys()) : null;
  }
}

/** An edge of the document; `path` is where the document names its target. */
type WrittenEdge = { readonly to: string; readonly condition: string | null; readonly path: string };
type EdgeCandidate = WrittenEdge & { readonly role: EdgeRole };

/** The edges out of one node, in the order in which they are tried. */
function edgeCandidates(node: Node, written: readonly WrittenEdge[]): EdgeCandidate[] {
  const { kind } = node;
  const inKind = `nodes.${node.id}.kind`;
  const definition = definitionOf(kind);
  const branches = definition.branches(kind);
  if (definition.branching === 'choice' && branches.length > 0) {
    return branches.map(({ target: to }, i) => ({
      to,
      role: 'branch',
      condition: null,
      path: `${inKind}.branches[${i}].target`,
    }));
  }
  if (definition.branching === 'all') {
    const listed = branches.map(({ target: to }, i) => ({ to, path: `${inKind}.branches[${i}]` }));
    return [...listed, ...written].map(({ to, path }) => ({ to, role: 'all', condition: null, path }));
  }
  const ordinary = (edge: WrittenEdge): EdgeCandidate => ({ ...edge, role: edge.condition === null ? 'plain' : 'if' });
  if (definition.behaviour(kind) === 'control') return written.map(ordinary);

  const outcomeEdges = OUTCOME_ROLES.flatMap((role) => {
    const route = definition.targets(kind).find((target) => target.role === role);
    return route === undefined ? [] : [{ role, to: route.to, condition: null, path: `${inKind}.${role}` }];
  });
  // An unconditional edge to a target that an outcome names is that outcome's edge; but the last edge of a node also leads on from its result.
  const isClaimed = (edge: WrittenEdge, routes: readonly EdgeCandidate[]): boolean =>
    edge.condition === null && routes.some((route) => route.role !== 'retry_node' && route.to === edge.to);
  const othersRemain = written.some((edge) => !isClaimed(edge, outcomeEdges));
  const decides = outcomeEdges.some(({ role }) => role === 'on_approved' || role === 'on_rejected');
  const leadsOn = ({ role }: EdgeCandidate): boolean => role === 'fallback_node' || (role === 'on_timeout' && !decides);
  const claimingEdges = othersRemain ? outcomeEdges : outcomeEdges.filter((route) => !leadsOn(route));
  return [...written.filter((edge) => !isClaimed(edge, claimingEdges)).map(ordinary), ...outcomeEdges];
}

function unknownName(code: string, nodeId: string | null, problem: string, path: string, meant: string | null): Diagnostic {
  const hint = meant ?? 'add the node, or correct the name';
  return { severity: 'error', code, node_id: nodeId, path, message: `node "${nodeId}" ${problem}`, hint };
}

function nothingToRetry(id: string): Diagnostic {
  return {
    severity: 'error',
    code: 'nothing_to_retry',
    node_id: id,
    path: `nodes.${id}.kind.on_fail`,
    message: `node "${id}" has nothing to run again: no work is on every path to it`,
    hint: 'put the node behind the work that it scores, or name a node in retry_node',
  };
}

function retryNotBefore(id: string, target: string): Diagnostic {
  return {
    severity: 'error',
    code: 'retry_not_before',
    node_id: id,
    path: `nodes.${id}.kind.retry_node`,
    message: `node "${id}" cannot send its work back to "${shortened(target, 256)}", which is not on every path to it`,
    hint: 'name a node that always runs before it',
  };
}

export function waitsForSuccessor(nodeId: string, problem: string): Diagnostic {
  return {
    severity: 'error',
    code: 'join_waits_for_successor',
    node_id: nodeId,
    path: null,
    message: `join "${nodeId}" ${problem}`,
    hint: 'a join can only wait for nodes before it: remove the name from wait_for',
  };
}
