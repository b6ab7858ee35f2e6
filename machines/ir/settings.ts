import { isObject, type Json, type JsonObject } from '../json.ts';
import { MAX_NESTING, MAX_STEPS } from '../limits.ts';
import { readDocument } from '../reading/document.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Problems } from '../reading/problems.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';
import { describesKeys } from './input-schema.ts';
import type { Continuation, Timeouts, TokenBudget, ToolConfig, Workflow } from './workflow.ts';

const DEFAULT_HEARTBEAT_SECS = 30;
/** A log that may be smaller would be that of a few steps. */
export const MIN_LOG_BYTES = 65_536;

export function readTimeouts(fields: Fields): Timeouts {
  const given = fields.object('timeouts');
  const read = fields.inside('timeouts', given ?? {});
  const limits: Record<string, number> = {};
  for (const key of ['node_timeout', 'workflow_timeout', 'approval_timeout']) {
    const seconds = read.seconds([key, `${key}_secs`]);
    if (seconds !== undefined) limits[key] = seconds;
  }
  return { ...limits, heartbeat_interval: read.seconds(['heartbeat_interval']) ?? DEFAULT_HEARTBEAT_SECS };
}

/** The tool catalog. Problems of entries that no node calls are warnings, because several workflows may share a catalog. */
export function readTools(fields: Fields, called: ReadonlySet<string>): Record<string, ToolConfig> {
  const tools = fields.object('tools') ?? {};
  const read = fields.inside('tools', tools);
  return Object.fromEntries(
    Object.entries(tools).flatMap(([name, raw]) => {
      if (!called.has(name)) return unusedTool(read, name, raw);
      if (!isObject(raw)) {
        read.error('wrong_type', name, 'must be an object {kind, reference}');
        return [];
      }
      const config = read.inside(name, raw);
      const kind = config.requiredText('kind');
      if (kind === 'function') {
        config.error(
          'local_tool',
          'kind',
          '"function" names a file, which is not allowed in a registered workflow',
          'register the tool with the runtime instead: --tools',
        );
      }
      const reference = config.requiredText('reference', 'ref');
      return [[name, { kind, reference, ...optional('description', config.text('description')), ...inputSchema(config) }]];
    }),
  );
}

/** An object or its text; a class name says nothing. */
function inputSchema(config: Fields): Pick<ToolConfig, 'input_schema'> {
  const given = config.json('input_schema');
  if (isObject(given)) return { input_schema: given };
  if (typeof given !== 'string' || !given.trimStart().startsWith('{')) return {};
  try {
    const parsed = JSON.parse(given) as Json;
    if (isObject(parsed)) return { input_schema: parsed };
  } catch {
    // Reported like any other text that is no object.
  }
  config.error('bad_input_schema', 'input_schema', 'looks like JSON but is not an object');
  return {};
}

function unusedTool(read: Fields, name: string, raw: Json): [string, ToolConfig][] {
  const { kind, reference = isObject(raw) ? raw.ref : null } = isObject(raw) ? raw : {};
  if (typeof kind === 'string' && kind !== '' && typeof reference === 'string' && reference !== '')
    return [[name, { kind, reference }]];
  const hint = 'an entry is {"kind": "python", "reference": "module:function"}';
  read.warning('unusable_tool', name, 'has no kind or no reference, so no node could call it', hint);
  return [];
}

function tokenBudget(fields: Fields): TokenBudget | null {
  const raw = fields.object('token_budget');
  if (raw === undefined) return null;
  const read = fields.inside('token_budget', raw);
  const caps: Record<string, number> = {};
  for (const key of ['input_tokens', 'output_tokens', 'total_tokens']) {
    const cap = read.integer([key], 0);
    if (cap !== undefined) caps[key] = cap;
  }
  warnOfUnknownKeys(read);
  return caps;
}

function warnOfUnknownKeys(read: Fields): void {
  const misspelt = Object.keys(read.raw).filter((key) => !read.knownKeys.has(key));
  for (const key of misspelt) read.warning('unknown_key', key, 'is not a known key', () => didYouMean(key, read.knownKeys));
}

/** Budgets and what exceeding one does. `strategyCostUsd`: the cost that the strategy allows, if it does. */
export function budgetSettings(
  fields: Fields,
  strategyCostUsd: number | null,
): Pick<Workflow, 'token_budget' | 'cost_budget_usd' | 'on_budget_exceeded' | 'continue_as_new' | 'continuation'> {
  const budgets = {
    token_budget: tokenBudget(fields),
    cost_budget_usd: fields.number(['cost_budget_usd'], 0) ?? strategyCostUsd,
  };
  const onExceeded = fields.text('on_budget_exceeded') ?? null;
  const continuation = continuationOf(fields);
  const continues = continuation === null && (fields.boolean('continue_as_new') ?? false);
  const hint = 'set token_budget or cost_budget_usd';
  const isLimited = budgets.cost_budget_usd !== null || Object.keys(budgets.token_budget ?? {}).length > 0;
  if (onExceeded !== null && !isLimited)
    fields.warning('no_budget', 'on_budget_exceeded', 'has no effect without a budget', hint);
  if (continues && !isLimited) fields.warning('no_budget', 'continue_as_new', 'has no effect without a budget', hint);
  if (continues && onExceeded !== null)
    fields.warning('no_effect', 'continue_as_new', 'has no effect beside on_budget_exceeded', 'leave one of the two out');
  return { ...budgets, on_budget_exceeded: onExceeded, continue_as_new: continues, continuation };
}

/** `continue_as_new` as an object; null = it is something else. */
function continuationOf(fields: Fields): Continuation | null {
  const raw = fields.json('continue_as_new');
  if (!isObject(raw)) return null;
  const read = fields.inside('continue_as_new', raw);
  const after_steps = read.integer(['after_steps'], 1, MAX_STEPS) ?? null;
  const after_bytes = read.integer(['after_bytes'], MIN_LOG_BYTES) ?? null;
  const at = read.requiredName('at');
  if (raw.after_steps === undefined && raw.after_bytes === undefined)
    fields.error('missing_key', 'continue_as_new', 'needs a limit', 'add after_steps: 5000, or after_bytes');
  warnOfUnknownKeys(read);
  return { at, after_steps, after_bytes };
}

/** The limit of the steps of one execution that the workflow sets. */
export function stepSettings(fields: Fields): Pick<Workflow, 'max_steps'> {
  return { max_steps: fields.integer(['max_steps'], 1, MAX_STEPS) ?? null };
}

/** The schema of the state, and whether inputs must fit it. */
export function stateSettings(fields: Fields): Pick<Workflow, 'state_schema' | 'strict_input'> {
  const state_schema = stateSchema(fields);
  const strict_input = fields.boolean('strict_input') ?? false;
  if (strict_input && (state_schema === null || !describesKeys(state_schema)))
    fields.error(
      'no_state_schema',
      'strict_input',
      'needs a state_schema that says which keys the input may have',
      'add state_schema, or leave strict_input out',
    );
  return { state_schema, strict_input };
}

/** An object, or its JSON text. A class name or an empty text is no schema. */
function stateSchema(fields: Fields): JsonObject | null {
  const raw = fields.json('state_schema');
  if (isObject(raw)) return raw;
  if (raw === undefined) return null;
  if (typeof raw !== 'string') {
    fields.error('wrong_type', 'state_schema', 'must be an object or text');
    return null;
  }
  if (!raw.trimStart().startsWith('{')) return null;
  try {
    const problems = new Problems();
    const schema = readDocument(JSON.parse(raw), problems);
    if (schema !== null) return schema;
    fields.error('nesting_too_deep', 'state_schema', `must be nested at most ${MAX_NESTING} levels deep`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    fields.warning('bad_state_schema', 'state_schema', `looks like JSON but is not: ${shortened(error.message, 120)}`);
  }
  return null;
}
