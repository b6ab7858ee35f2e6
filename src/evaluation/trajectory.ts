import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { shortened } from '../../machines/shortened.ts';
import type { Score } from '../executors/eval/scores.ts';

/** An event of a log, as the API gives it. */
export interface LoggedEvent {
  readonly type: string;
  readonly node_id: string | null;
  readonly data: JsonObject;
}

/** The tools that an execution called. */
export interface Trajectory {
  /** In order. */
  readonly tools: readonly string[];
  /** Calls of models; null = not known. */
  readonly turns: number | null;
}

/**
 * The tools that models asked for, and those that nodes called. A call that a node makes because a model has asked for it counts once.
 */
export function trajectoryOf(events: readonly LoggedEvent[]): Trajectory {
  const tools: string[] = [];
  const asked: string[] = [];
  let turns = 0;
  for (const { type, data } of events) {
    if (type === 'tool_call_completed' && typeof data.tool === 'string') {
      const at = asked.findIndex((name) => isSameTool(name, String(data.tool)));
      if (at === -1) tools.push(data.tool);
      else asked.splice(at, 1);
    }
    if (type !== 'node_completed') continue;
    const calls = requestedCalls(data);
    if (calls === null) continue;
    turns += 1;
    tools.push(...calls);
    asked.push(...calls);
  }
  return { tools, turns: turns === 0 ? null : turns };
}

/** The calls that a model asked for with this completion; null = it is none of a model. */
function requestedCalls({ output, state_patch: patch }: JsonObject): readonly string[] | null {
  const listed = isObject(output) && Array.isArray(output.tool_calls) ? output.tool_calls : undefined;
  const patched = isObject(patch) && Array.isArray(patch.last_model_tool_calls) ? patch.last_model_tool_calls : undefined;
  const calls = (listed ?? patched) as readonly Json[] | undefined;
  if (calls === undefined) return null;
  return calls.flatMap((call) => (isObject(call) && typeof call.name === 'string' ? [call.name] : []));
}

/** Nodes know a tool by its full name: `shop.mail`, `web.search`. */
function isSameTool(asked: string, called: string): boolean {
  return asked === called || called.endsWith(`.${asked}`) || asked.endsWith(`.${called}`);
}

type Check = readonly [name: string, passed: boolean, message: string];

const KEYS = ['expected_tools', 'expected_tools_exact', 'tool_sequence', 'used_tool', 'did_not_use', 'max_turns', 'step_count'];

/**
 * Scores the tools that were called by what a row expects: `expected_tools` (all of them, with `expected_tools_exact` no others), `tool_sequence` (in this
 * order, others may lie between), `used_tool`, `did_not_use`, `max_turns` (calls of models), `step_count` (calls of tools, exactly).
 */
export function trajectoryScore(expected: JsonObject, { tools, turns }: Trajectory): Score {
  const used = new Set(tools);
  const checks: Check[] = [];
  for (const [key, value] of Object.entries(expected)) {
    const names = namesIn(value);
    if (key === 'expected_tools') {
      const missing = names.filter((name) => !used.has(name));
      const extra = expected.expected_tools_exact === true ? [...used].filter((name) => !names.includes(name)) : [];
      const problems = [...missing.map((name) => `${name} was not called`), ...extra.map((name) => `${name} was called`)];
      checks.push([key, problems.length === 0, problems.join(', ')]);
    } else if (key === 'tool_sequence')
      checks.push([key, isInOrder(names, tools), `${names.join(' → ')} is not in ${arrows(tools)}`]);
    else if (key === 'used_tool') {
      const missing = names.filter((name) => !used.has(name));
      checks.push([key, missing.length === 0, `${missing.join(', ')} was not called`]);
    } else if (key === 'did_not_use') {
      const found = names.filter((name) => used.has(name));
      checks.push([key, found.length === 0, `${found.join(', ')} was called`]);
    } else if (key === 'max_turns')
      checks.push([key, (turns ?? tools.length) <= Number(value), `${turns ?? tools.length} turns`]);
    else if (key === 'step_count') checks.push([key, tools.length === Number(value), `${tools.length} calls of tools`]);
    else if (!KEYS.includes(key)) checks.push([key, false, `is not known: ${KEYS.join(', ')}`]);
  }
  const failed = checks.filter(([, passed]) => !passed);
  const message = failed.length === 0 ? arrows(tools) : failed.map(([name, , why]) => `${name}: ${why}`).join('; ');
  const score = checks.length === 0 ? 1 : (checks.length - failed.length) / checks.length;
  return { scorer: 'trajectory', passed: failed.length === 0, score, message: shortened(message, 1_000) };
}

function namesIn(value: Json): readonly string[] {
  return (Array.isArray(value) ? (value as readonly Json[]) : [value]).map(String);
}

function isInOrder(wanted: readonly string[], tools: readonly string[]): boolean {
  let at = 0;
  for (const tool of tools) if (tool === wanted[at]) at += 1;
  return at >= wanted.length;
}

function arrows(tools: readonly string[]): string {
  return tools.length === 0 ? 'no tool was called' : tools.join(' → ');
}

/** How two runs differ in the tools that they call. */
export interface TrajectoryDiff {
  readonly changed: boolean;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The same calls in another order. */
  readonly reordered: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export function trajectoryDiff(before: readonly string[], after: readonly string[]): TrajectoryDiff {
  const added = withoutThose(after, before);
  const removed = withoutThose(before, after);
  const changed = JSON.stringify(before) !== JSON.stringify(after);
  return { changed, added, removed, reordered: changed && added.length === 0 && removed.length === 0, before, after };
}

/** The calls of `all` that are not among `others`, with their number. */
function withoutThose(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return all.filter((name) => {
    const at = left.indexOf(name);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
