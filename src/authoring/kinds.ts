import type { Json } from '../../machines/json.ts';
import { durationOf } from './durations.ts';
import type { MarkedPlaces } from './places.ts';
import { itemOf, type Section } from './section.ts';
import { markRoute, type Route, routeOf, type Targets } from './targets.ts';

/** A node being read. */
export interface Reading {
  readonly section: Section;
  readonly id: string;
  readonly targets: Targets;
  readonly places: MarkedPlaces;
  /** The kind object of the document, filled while the node is read. */
  readonly kind: Record<string, Json>;
}

type Shape = 'text' | 'json' | 'target';
/** Key of the document's kind → what it holds, and how authors spell it beside that very key: the usual spelling first. */
type Keys = Readonly<Record<string, readonly [Shape, ...string[]]>>;

export interface Dialect {
  /** The kind's type in the document. */
  readonly type: string;
  readonly keys: Keys;
  /** Whose timeout `timeout` is: of an attempt (node), of the pause itself (kind), of nothing. */
  readonly timeout: 'node' | 'kind' | null;
  /** Does something outside the step do it, so that it can fail and be tried again? */
  readonly works: boolean;
  /** May it lead anywhere by `next`? */
  readonly leads: boolean;
  /** What the keys alone do not say. */
  readonly more?: (reading: Reading) => void;
}

const mapping: Keys = { input_mapping: ['json', 'input', 'arguments'], output_schema: ['json'] };
const code = { timeout: 'node', works: true, leads: true } as const;
const outcomes: Keys = { on_timeout: ['target'] };
const stored: Keys = { output_key: ['text'] };
const failing: Keys = { fallback_node: ['target', 'fallback'] };

/** How each kind is written in a workflow file. A type that is not here keeps its keys as they are. */
export const DIALECTS: Readonly<Record<string, Dialect>> = {
  tool: {
    type: 'tool',
    keys: { tool_ref: ['text', 'tool', 'ref'], server: ['text'], ...mapping, ...stored, ...failing },
    ...code,
    more: toolName,
  },
  http: {
    type: 'http',
    keys: {
      url: ['text'],
      method: ['text'],
      headers: ['json'],
      query: ['json', 'query', 'params'],
      body: ['json'],
      output_schema: ['json'],
      ...stored,
      ...failing,
    },
    ...code,
  },
  python_fn: { type: 'python_fn', keys: { module: ['text'], function: ['text'], ...mapping, ...stored, ...failing }, ...code },
  java_fn: {
    type: 'java_fn',
    keys: { class_name: ['text', 'class'], method: ['text'], ...mapping, ...stored, ...failing },
    ...code,
  },
  subgraph: {
    type: 'subgraph',
    keys: {
      workflow_ref: ['text', 'workflow', 'ref'],
      workflow_version: ['text', 'version'],
      input_mapping: ['json', 'input', 'arguments'],
      output_mapping: ['json', 'output'],
      ...stored,
      ...failing,
    },
    ...code,
  },
  join: {
    type: 'join',
    keys: { merge_strategy: ['json', 'strategy'], function_ref: ['text'], ...stored, ...failing },
    ...code,
    more: joinSources,
  },
  condition: { type: 'condition', keys: {}, timeout: null, works: false, leads: true, more: conditionBranches },
  branch: { type: 'condition', keys: {}, timeout: null, works: false, leads: true, more: conditionBranches },
  parallel: { type: 'parallel', keys: { join: ['target'] }, timeout: null, works: false, leads: true, more: parallelBranches },
  human_approval: {
    type: 'human_approval',
    keys: { on_approved: ['target'], on_rejected: ['target'], ...outcomes, ...stored, ...failing },
    timeout: 'kind',
    works: false,
    leads: true,
    more: approvalText,
  },
  wait: {
    type: 'wait',
    keys: { condition: ['text'], correlation_key: ['text', 'event'], ...outcomes, ...stored, ...failing },
    timeout: 'kind',
    works: false,
    leads: true,
    more: waitCondition,
  },
  limit_exceeded: { type: 'limit_exceeded', keys: {}, timeout: null, works: false, leads: false },
};

/** Fills `reading.kind` from the keys of its dialect. */
export function readKind(dialect: Dialect, reading: Reading): void {
  const { section, kind, targets } = reading;
  for (const [key, [shape, ...spelt]] of Object.entries(dialect.keys)) {
    const spellings = spelt.includes(key) ? spelt : [...spelt, key];
    const found = shape === 'json' ? section.json(...spellings) : section.text(...spellings);
    if (found === null) continue;
    kind[key] = shape === 'target' ? targets.of(String(found.value)) : found.value;
    mark(reading, key, found.at);
  }
  if (dialect.timeout === 'kind') {
    const timeout = durationOf(section, 'timeout');
    if (timeout !== null) {
      kind.timeout_secs = timeout.value;
      mark(reading, 'timeout_secs', timeout.at);
    }
  }
  dialect.more?.(reading);
}

function mark({ places, id }: Reading, key: string, at: number): void {
  places.mark(`nodes.${id}.kind.${key}`, at);
}

/** A tool is called like its node unless said otherwise; one with a `server` is a tool of an MCP server. */
function toolName({ kind, id }: Reading): void {
  const name = kind.tool_ref ?? id;
  if (kind.server === undefined) kind.tool_ref = name;
  else {
    kind.type = 'mcp_tool';
    kind.tool = name;
    delete kind.tool_ref;
  }
}

function conditionBranches(reading: Reading): void {
  const { section, id, kind, targets } = reading;
  const routes: Route[] = routesIn(reading, ['branches', 'conditions'], '{if: <condition>, next: <node>}');
  const otherwise = section.text('default', 'else');
  if (otherwise !== null) routes.push({ to: { value: targets.of(otherwise.value), at: otherwise.at }, condition: null });
  const [, second] = routes.filter(({ condition }) => condition === null);
  if (second !== undefined) {
    section.error(
      'two_defaults',
      `node "${id}" has two branches without a condition`,
      second.to.at,
      'only one can be taken when nothing else matches',
    );
  }
  if (routes.length === 0) return;
  kind.branches = routes.map(({ to, condition }, index) => {
    markRoute(reading.places, `nodes.${id}.kind.branches.${index}`, 'target', { to, condition });
    return { condition: condition?.value ?? null, target: to.value };
  });
  const next = section.find('next');
  if (next !== null) {
    section.warning(
      'next_ignored',
      `node "${id}" leads to its branches; its "next" is ignored`,
      next.keyAt,
      'write "default: <node>" for what comes when no branch matches',
    );
  }
}

function parallelBranches(reading: Reading): void {
  const { section, id, kind } = reading;
  const routes = routesIn(reading, ['branches'], 'the id of a node');
  for (const { condition } of routes) {
    if (condition === null) continue;
    section.warning(
      'condition_ignored',
      `node "${id}" takes all its branches: this condition is ignored`,
      condition.at,
      'choose with a condition node',
    );
  }
  kind.branches = routes.map(({ to }, index) => {
    reading.places.mark(`nodes.${id}.kind.branches.${index}`, to.at);
    return to.value;
  });
  if (kind.join === 'end') delete kind.join;
  const next = section.find('next');
  if (routes.length > 0 && next !== null) {
    const hint = section.has('join')
      ? 'what comes after the branches is named by "join"'
      : 'to go on after the branches, write "join" instead of "next"';
    section.warning(
      'next_beside_branches',
      `"next" of the parallel node "${id}" begins together with its branches`,
      next.keyAt,
      hint,
    );
  }
}

function joinSources(reading: Reading): void {
  const { section, id, kind, targets } = reading;
  const routes = section.has('wait_for') ? routesIn(reading, ['wait_for'], 'the id of a node') : [];
  section.find('wait_for');
  for (const { to } of routes) {
    if (targets.isEnd(to.value)) section.error('waits_for_end', `node "${id}" cannot wait for the end`, to.at);
  }
  kind.wait_for = routes.map(({ to }, index) => {
    reading.places.mark(`nodes.${id}.kind.wait_for.${index}`, to.at);
    return to.value;
  });
}

function approvalText(reading: Reading): void {
  const { section, id, kind } = reading;
  const message = section.text('message', 'prompt') ?? section.text('description');
  kind.description = message?.value ?? `Approval required for ${id}`;
  if (message !== null) mark(reading, 'description', message.at);
}

/** What a wait waits for, when its author only says how long or for which event. */
function waitCondition(reading: Reading): void {
  const { section, kind } = reading;
  const duration = durationOf(section, 'duration');
  const timeout = kind.timeout_secs;
  const awaitsEvent = kind.correlation_key !== undefined;
  if (duration !== null) {
    if (timeout !== undefined)
      section.error(
        'given_twice',
        `${section.name}: "duration" and "timeout" say the same thing`,
        duration.at,
        'remove one of the two',
      );
    kind.timeout_secs = duration.value;
    mark(reading, 'timeout_secs', duration.at);
  }
  kind.condition ??= conditionFor(awaitsEvent, duration !== null, timeout !== undefined && kind.on_timeout === undefined);
}

function conditionFor(awaitsEvent: boolean, lasts: boolean, onlyTimesOut: boolean): string {
  if (awaitsEvent) return lasts ? 'either' : 'external_event';
  return lasts || onlyTimesOut ? 'timer' : 'external_event';
}

/** The routes listed under a key; what is not one is noted and left out. */
function routesIn(reading: Reading, keys: readonly [string, ...string[]], wanted: string): Route[] {
  const { section, id, targets } = reading;
  const items = section.list(...keys)?.value ?? [];
  const list = section.find(...keys);
  if (list !== null) mark(reading, keys[0], list.keyAt);
  return items.flatMap((item, index) => {
    const read = itemOf(item, `branch ${index + 1} of node "${id}"`, section, wanted);
    const route = read === null ? null : routeOf(read, targets);
    return route === null ? [] : [route];
  });
}
