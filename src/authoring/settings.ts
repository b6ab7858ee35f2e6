import type { Json } from '../../machines/json.ts';
import type { Located, MapReader } from './map-reader.ts';
import { readLabels, readPolicy } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { RecordedSourceMap } from './source-map.ts';

/** Settings of the whole workflow, at the top of the file or in its header. */
export function readSettings(top: MapReader, header: MapReader, sourceMap: RecordedSourceMap): Record<string, Json> {
  const readers = header === top ? [top] : [top, header];
  const either = <T>(key: string, read: (reader: MapReader) => T | null): T | null => {
    const [first, second] = readers.flatMap((reader) => (reader.find(key) === null ? [] : [reader]));
    if (second !== undefined)
      second.error(
        'given_twice',
        `"${key}" is at the top of the file and inside "workflow"`,
        second.find(key)?.keyOffset ?? second.offset,
        'remove one of the two',
      );
    return first === undefined ? null : read(first);
  };
  const verbatim = (key: string) => either(key, (reader) => reader.json(key));
  const found: Record<string, Located<Json> | null> = {
    retry_policies: either('retry_policies', (reader) => readRetryPolicies(reader, sourceMap)) ?? {
      value: {},
      offset: top.offset,
    },
    timeouts: either('timeouts', (reader) => readTimeouts(reader, sourceMap)),
    models: verbatim('models') ?? { value: {}, offset: top.offset },
    mcp_servers: soleKey(top.map('mcp', 'mcp'), 'servers') ?? { value: {}, offset: top.offset },
    remote_agents: soleKey(top.map('a2a', 'a2a'), 'remote_agents') ?? { value: {}, offset: top.offset },
    labels: either('labels', readLabels) ?? { value: {}, offset: header.offset },
    policy: either('policy', readPolicy),
  };
  for (const key of [
    'policies',
    'data_policy',
    'token_budget',
    'cost_budget_usd',
    'on_budget_exceeded',
    'continue_as_new',
    'max_steps',
    'strict_input',
    'oauth',
    'publish',
  ])
    found[key] = verbatim(key);
  return presentEntries(found, sourceMap);
}

/** The value of the only key that a map may have. */
export function soleKey(reader: MapReader | null, key: string): Located<Json> | null {
  const value = reader?.json(key) ?? null;
  reader?.warnAboutUnread();
  return value;
}

function readRetryPolicies(reader: MapReader, sourceMap: RecordedSourceMap): Located<Json> | null {
  const policies = reader.map('retry_policies', 'retry_policies');
  if (policies === null) return null;
  const named = policies.fields.flatMap(({ key }) => {
    const policy = policies.map(`retry policy "${key}"`, key);
    if (policy === null) return [];
    sourceMap.record(`retry_policies.${key}`, policy.offset);
    sourceMap.recordAll(`retry_policies.${key}`, policy);
    return [[key, retryPolicy(policy)] as const];
  });
  return { value: Object.fromEntries(named), offset: policies.offset };
}

function readTimeouts(reader: MapReader, sourceMap: RecordedSourceMap): Located<Json> | null {
  const given = reader.map('timeouts', 'timeouts');
  if (given === null) return null;
  sourceMap.recordAll('timeouts', given);
  const value: Record<string, Json> = {};
  for (const key of ['node_timeout', 'workflow_timeout', 'approval_timeout', 'heartbeat_interval']) {
    const seconds = given.seconds([key]);
    if (seconds !== null) value[key] = seconds.value;
  }
  given.warnAboutUnread();
  return { value, offset: given.offset };
}

/** The entries that are not null, with their positions recorded. */
export function presentEntries(
  found: Readonly<Record<string, Located<Json> | null>>,
  sourceMap: RecordedSourceMap,
): Record<string, Json> {
  const present = Object.entries(found).flatMap(([key, entry]) => (entry === null ? [] : [[key, entry] as const]));
  for (const [key, { offset: at }] of present) sourceMap.record(key, at);
  return Object.fromEntries(present.map(([key, { value }]) => [key, value]));
}
