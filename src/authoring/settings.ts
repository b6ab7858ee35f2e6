import type { Json } from '../../machines/json.ts';
import type { Located, MapReader } from './map-reader.ts';
import { labelsOf, policyOf } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { RecordedSourceMap } from './source-map.ts';

/** Settings of the whole workflow, at the top of the file or in its header. */
export function settingsOf(top: MapReader, header: MapReader, places: RecordedSourceMap): Record<string, Json> {
  const sections = header === top ? [top] : [top, header];
  const either = <T>(key: string, read: (section: MapReader) => T | null): T | null => {
    const [first, second] = sections.flatMap((section) => (section.find(key) === null ? [] : [section]));
    if (second !== undefined)
      second.error(
        'given_twice',
        `"${key}" stands at the top of the file and inside "workflow"`,
        second.find(key)?.keyOffset ?? second.at,
        'remove one of the two',
      );
    return first === undefined ? null : read(first);
  };
  const verbatim = (key: string) => either(key, (section) => section.json(key));
  const found: Record<string, Located<Json> | null> = {
    retry_policies: either('retry_policies', (section) => retryPolicies(section, places)) ?? { value: {}, at: top.at },
    timeouts: either('timeouts', (section) => timeouts(section, places)),
    models: verbatim('models') ?? { value: {}, at: top.at },
    mcp_servers: onlyKey(top.map('mcp', 'mcp'), 'servers') ?? { value: {}, at: top.at },
    remote_agents: onlyKey(top.map('a2a', 'a2a'), 'remote_agents') ?? { value: {}, at: top.at },
    labels: either('labels', labelsOf) ?? { value: {}, at: header.at },
    policy: either('policy', policyOf),
  };
  for (const key of ['data_policy', 'token_budget', 'cost_budget_usd', 'on_budget_exceeded', 'continue_as_new'])
    found[key] = verbatim(key);
  return presentEntries(found, places);
}

function onlyKey(section: MapReader | null, key: string): Located<Json> | null {
  const value = section?.json(key) ?? null;
  section?.warnOfUnread();
  return value;
}

function retryPolicies(section: MapReader, places: RecordedSourceMap): Located<Json> | null {
  const policies = section.map('retry_policies', 'retry_policies');
  if (policies === null) return null;
  const named = policies.fields.flatMap(({ key }) => {
    const policy = policies.map(`retry policy "${key}"`, key);
    if (policy === null) return [];
    places.record(`retry_policies.${key}`, policy.at);
    places.recordAll(`retry_policies.${key}`, policy);
    return [[key, retryPolicy(policy)] as const];
  });
  return { value: Object.fromEntries(named), at: policies.at };
}

function timeouts(section: MapReader, places: RecordedSourceMap): Located<Json> | null {
  const given = section.map('timeouts', 'timeouts');
  if (given === null) return null;
  places.recordAll('timeouts', given);
  const value: Record<string, Json> = {};
  for (const key of ['node_timeout', 'workflow_timeout', 'approval_timeout', 'heartbeat_interval']) {
    const seconds = given.seconds([key]);
    if (seconds !== null) value[key] = seconds.value;
  }
  given.warnOfUnread();
  return { value, at: given.at };
}

/** The entries that are there, their places marked. */
export function presentEntries(
  found: Readonly<Record<string, Located<Json> | null>>,
  places: RecordedSourceMap,
): Record<string, Json> {
  const present = Object.entries(found).flatMap(([key, entry]) => (entry === null ? [] : [[key, entry] as const]));
  for (const [key, { at }] of present) places.record(key, at);
  return Object.fromEntries(present.map(([key, { value }]) => [key, value]));
}
