import { isObject, type Json, type JsonObject } from '../json.ts';
import { MAX_NESTING } from '../limits.ts';
import { readDocument } from '../reading/document.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Problems } from '../reading/problems.ts';
import { didYouMean } from '../suggest.ts';
import type { Timeouts, TokenBudget, ToolConfig, Workflow } from './workflow.ts';

const DEFAULT_HEARTBEAT_SECS = 30;

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

export function tokenBudget(fields: Fields): TokenBudget | null {
  const raw = fields.object('token_budget');
  if (raw === undefined) return null;
  const read = fields.inside('token_budget', raw);
  const caps: Record<string, number> = {};
  for (const key of ['input_tokens', 'output_tokens', 'total_tokens']) {
    const cap = read.integer([key], 0);
    if (cap !== undefined) caps[key] = cap;
  }
  const misspelt = Object.keys(raw).filter((key) => !read.knownKeys.has(key));
  for (const key of misspelt) read.warning('unknown_key', key, 'is not a known key', () => didYouMean(key, read.knownKeys));
  return caps;
}

/** Refuses strategies that this runtime does not have, instead of ignoring them. */
export function onBudgetExceeded(fields: Fields): Workflow['on_budget_exceeded'] {
  const given = fields.text('on_budget_exceeded') ?? null;
  if (given === null || given === 'fail' || given === 'pause') return given;
  const hint = 'write "pause", or leave it out: an exceeded budget fails the execution';
  fields.error('not_available', 'on_budget_exceeded', `"${given.slice(0, 60)}" is not available in this runtime yet`, hint);
  return null;
}

/** An object, or its JSON text. A class name or an empty text is no schema. */
export function stateSchema(fields: Fields): JsonObject | null {
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
    fields.warning('bad_state_schema', 'state_schema', `looks like JSON but is not: ${error.message.slice(0, 120)}`);
  }
  return null;
}
