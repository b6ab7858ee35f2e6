import { conditionBranches, joinSources, parallelBranches } from './branches.ts';
import { durationOf } from './durations.ts';
import { type NodeReader, recordKindKey } from './node-reader.ts';
import { approvalText, waitCondition } from './pauses.ts';

type ValueShape = 'text' | 'json' | 'target';
/** Key of the document's kind → what it holds, and how authors spell it beside that very key: the usual spelling first. */
type Keys = Readonly<Record<string, readonly [ValueShape, ...string[]]>>;

export interface KindSyntax {
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
  readonly more?: (reading: NodeReader) => void;
}

const mapping: Keys = { input_mapping: ['json', 'input', 'arguments'], output_schema: ['json'] };
const work = { timeout: 'node', works: true, leads: true } as const;
const pause = { timeout: 'kind', works: false, leads: true } as const;
const control = { timeout: null, works: false, leads: true } as const;
const stored: Keys = { output_key: ['text'] };
const failing: Keys = { fallback_node: ['target', 'fallback'] };

/** How each kind is written in a workflow file. A type that is not here keeps its keys as they are. */
export const KIND_SYNTAX: Readonly<Record<string, KindSyntax>> = {
  tool: {
    type: 'tool',
    keys: { tool_ref: ['text', 'tool', 'ref'], server: ['text'], ...mapping, ...stored, ...failing },
    ...work,
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
    ...work,
  },
  python_fn: { type: 'python_fn', keys: { module: ['text'], function: ['text'], ...mapping, ...stored, ...failing }, ...work },
  java_fn: {
    type: 'java_fn',
    keys: { class_name: ['text', 'class'], method: ['text'], ...mapping, ...stored, ...failing },
    ...work,
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
    ...work,
  },
  join: {
    type: 'join',
    keys: { merge_strategy: ['json', 'strategy'], function_ref: ['text'], ...stored, ...failing },
    ...work,
    more: joinSources,
  },
  condition: { type: 'condition', keys: {}, ...control, more: conditionBranches },
  branch: { type: 'condition', keys: {}, ...control, more: conditionBranches },
  parallel: { type: 'parallel', keys: { join: ['target'] }, ...control, more: parallelBranches },
  human_approval: {
    type: 'human_approval',
    keys: { on_approved: ['target'], on_rejected: ['target'], on_timeout: ['target'], ...stored, ...failing },
    ...pause,
    more: approvalText,
  },
  wait: {
    type: 'wait',
    keys: { condition: ['text'], correlation_key: ['text', 'event'], on_timeout: ['target'], ...stored, ...failing },
    ...pause,
    more: waitCondition,
  },
  limit_exceeded: { type: 'limit_exceeded', keys: {}, ...control, leads: false },
};

/** Fills `reading.kind` from the keys of its dialect. */
export function readKind(dialect: KindSyntax, reading: NodeReader): void {
  const { section, kind, targets } = reading;
  for (const [key, [shape, ...spelt]] of Object.entries(dialect.keys)) {
    const spellings = spelt.includes(key) ? spelt : [...spelt, key];
    const found = shape === 'json' ? section.json(...spellings) : section.text(...spellings);
    if (found === null) continue;
    kind[key] = shape === 'target' ? targets.resolve(String(found.value)) : found.value;
    recordKindKey(reading, key, found.at);
  }
  if (dialect.timeout === 'kind') {
    const timeout = durationOf(section, 'timeout');
    if (timeout !== null) {
      kind.timeout_secs = timeout.value;
      recordKindKey(reading, 'timeout_secs', timeout.at);
    }
  }
  dialect.more?.(reading);
}

/** A tool is called like its node unless said otherwise; one with a `server` is a tool of an MCP server. */
function toolName({ kind, id }: NodeReader): void {
  const name = kind.tool_ref ?? id;
  if (kind.server === undefined) kind.tool_ref = name;
  else {
    kind.type = 'mcp_tool';
    kind.tool = name;
    delete kind.tool_ref;
  }
}
