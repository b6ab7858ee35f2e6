import type { Json } from '../../machines/json.ts';
import type { MarkedPlaces } from './places.ts';
import { labelsOf, policyOf } from './policy.ts';
import { retryPolicy } from './retries.ts';
import type { At, Section } from './section.ts';

/** Settings of the whole workflow, at the top of the file or in its header. */
export function settingsOf(top: Section, header: Section, places: MarkedPlaces): Record<string, Json> {
  const sections = header === top ? [top] : [top, header];
  const either = <T>(key: string, read: (section: Section) => T | null): T | null => {
    const [first, second] = sections.flatMap((section) => (section.find(key) === null ? [] : [section]));
    if (second !== undefined)
      second.error(
        'given_twice',
        `"${key}" stands at the top of the file and inside "workflow"`,
        second.find(key)?.keyAt ?? second.at,
        'remove one of the two',
      );
    return first === undefined ? null : read(first);
  };
  const verbatim = (key: string) => either(key, (section) => section.json(key));
  const found: Record<string, At<Json> | null> = {
    retry_policies: either('retry_policies', (section) => retryPolicies(section, places)) ?? { value: {}, at: top.at },
    timeouts: either('timeouts', (section) => timeouts(section, places)),
    models: verbatim('models') ?? { value: {}, at: top.at },
    mcp_servers: onlyKey(top.section('mcp', 'mcp'), 'servers') ?? { value: {}, at: top.at },
    remote_agents: onlyKey(top.section('a2a', 'a2a'), 'remote_agents') ?? { value: {}, at: top.at },
    labels: either('labels', labelsOf) ?? { value: {}, at: header.at },
    policy: either('policy', policyOf),
  };
  for (const key of ['data_policy', 'token_budget', 'cost_budget_usd', 'on_budget_exceeded', 'continue_as_new'])
    found[key] = verbatim(key);
  return kept(found, places);
}

function onlyKey(section: Section | null, key: string): At<Json> | null {
  const value = section?.json(key) ?? null;
  section?.finish();
  return value;
}

function retryPolicies(section: Section, places: MarkedPlaces): At<Json> | null {
  const policies = section.section('retry_policies', 'retry_policies');
  if (policies === null) return null;
  const named = policies.fields.flatMap(({ key }) => {
    const policy = policies.section(`retry policy "${key}"`, key);
    if (policy === null) return [];
    places.mark(`retry_policies.${key}`, policy.at);
    places.markSection(`retry_policies.${key}`, policy);
    return [[key, retryPolicy(policy)] as const];
  });
  return { value: Object.fromEntries(named), at: policies.at };
}

function timeouts(section: Section, places: MarkedPlaces): At<Json> | null {
  const given = section.section('timeouts', 'timeouts');
  if (given === null) return null;
  places.markSection('timeouts', given);
  const value: Record<string, Json> = {};
  for (const key of ['node_timeout', 'workflow_timeout', 'approval_timeout', 'heartbeat_interval']) {
    const seconds = given.seconds([key]);
    if (seconds !== null) value[key] = seconds.value;
  }
  given.finish();
  return { value, at: given.at };
}

/** The entries that are there, their places marked. */
export function kept(found: Readonly<Record<string, At<Json> | null>>, places: MarkedPlaces): Record<string, Json> {
  const present = Object.entries(found).flatMap(([key, entry]) => (entry === null ? [] : [[key, entry] as const]));
  for (const [key, { at }] of present) places.mark(key, at);
  return Object.fromEntries(present.map(([key, { value }]) => [key, value]));
}
