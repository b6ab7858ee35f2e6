import type { JsonObject } from '../json.ts';
import { distinctiveKeys } from '../nodes/field-tables.ts';
import {
  definitionNamed,
  definitionOf,
  KIND_ALIASES,
  KIND_NAMES,
  type Kind,
  type KindName,
  workBehaviourOf,
} from '../nodes/index.ts';
import { Fields } from '../reading/fields.ts';
import type { Problems } from '../reading/problems.ts';
import { shortened } from '../shortened.ts';
import { closest, didYouMean } from '../suggest.ts';
import { autonomyOf, policyUnder } from './autonomy.ts';
import { dataPolicyOf } from './data-policy.ts';
import { scopesOf } from './oauth.ts';
import { policyOf } from './policy.ts';
import { type RetryPolicies, retryOf } from './retry.ts';
import type { Node, Timeouts } from './workflow.ts';

/** Keys of the node itself; any other key beside `kind` is read as a key of the kind. */
const NODE_KEYS = [
  'id',
  'kind',
  'retry_policy',
  'retry',
  'node_timeout_secs',
  'labels',
  'policy',
  'data_policy',
  'oauth_scopes',
  'required_scopes',
  'autonomy',
  'circuit_breaker_threshold',
];

/** Keys that some kind reads. On a kind that does not read them they cause a warning. */
const DISTINCTIVE_KEYS: ReadonlySet<string> = new Set(
  KIND_NAMES.flatMap((name) => distinctiveKeys(definitionNamed(name).declaration.fields)),
);

/** Time limit of one attempt when neither the node nor the workflow sets one. */
const DEFAULT_TIMEOUT_SECS = 300;

export interface NodeDefaults {
  readonly retryPolicies: RetryPolicies;
  readonly timeouts: Timeouts;
}

/** Replaces a kind that cannot be read, so that edges to the node are not reported as well. */
const PLACEHOLDER_KIND: Kind = { type: 'limit_exceeded' };

export function readNode(id: string, raw: JsonObject, defaults: NodeDefaults, problems: Problems): Node {
  const prefix = `node "${id}": `;
  const own = new Fields(raw, { prefix, path: `nodes.${id}.`, node_id: id }, problems);
  if (own.json('kind') === undefined) own.error('missing_key', 'kind', 'is required', 'write "kind": {"type": "tool", …}');
  const authored = own.object('kind');
  const beside = Object.entries(raw).filter(([key]) => !NODE_KEYS.includes(key));
  const inside = Object.entries(authored ?? {}).filter(([, value]) => value !== null);
  const merged = Object.fromEntries([...beside, ...inside]);
  const fields = new Fields(merged, { prefix, path: `nodes.${id}.kind.`, node_id: id }, problems);
  const name = authored === undefined ? null : kindName(fields);
  const kind = name === null ? PLACEHOLDER_KIND : readKind(fields, name, defaults.timeouts);
  const autonomy = name === null ? null : autonomyOf(own, id, kind);
  const node = {
    id,
    kind,
    retry: retryOf(own, defaults.retryPolicies),
    timeout_secs: timeoutOf(own, fields, kind, defaults.timeouts),
    description: fields.text('description') ?? null,
    labels: own.labels('labels'),
    autonomy,
    policy: policyUnder(autonomy, kind, policyOf(own)),
    data_policy: dataPolicyOf(own),
    oauth_scopes: scopesOf(own),
  };
  if (name !== null) warnAboutUnusedKeys(fields, name);
  return node;
}

function readKind(fields: Fields, name: KindName, timeouts: Timeouts): Kind {
  return definitionNamed(name).normalise(fields, { approvalTimeoutSecs: timeouts.approval_timeout });
}

const MAP_HINT = 'write type: map with items, as and do: the same work for every item of a list';
/** Of names that other workflow languages have. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['end', 'let edges lead to "end" instead'],
  ...['foreach', 'for_each', 'loop_over'].map((name) => [name, MAP_HINT] as const),
]);

function kindName(fields: Fields): KindName | null {
  const name = fields.requiredText('type');
  const known = Object.hasOwn(KIND_ALIASES, name) ? KIND_ALIASES[name] : KIND_NAMES.find((kind) => kind === name);
  if (known !== undefined) return known;
  if (name === '') return null;
  const { prefix, path, node_id } = fields.location;
  const at = { node_id, path: `${path}type` };
  const subject = `${prefix}kind "${shortened(name, 60)}"`;
  const available = `available: ${KIND_NAMES.join(', ')}`;
  const names = [...KIND_NAMES, ...Object.keys(KIND_ALIASES)];
  const hint = () => HINTS.get(name) ?? didYouMean(name, names) ?? available;
  fields.problems.error('unknown_kind', `${subject} does not exist`, { ...at, hint });
  return null;
}

/** The time limit of an attempt. Nodes that park have a limit of their own, and child executions may take days: only work has a default. */
function timeoutOf(own: Fields, fields: Fields, kind: Kind, timeouts: Timeouts): number | null {
  const behaviour = workBehaviourOf(kind);
  const given = own.seconds(['node_timeout_secs']);
  if (behaviour !== 'work' && behaviour !== 'child') {
    if (given !== undefined)
      own.warning('ignored_key', 'node_timeout_secs', `has no meaning on a ${kind.type} node`, timeoutHint(behaviour));
    return null;
  }
  return (
    given ??
    fields.seconds(['timeout_secs', 'timeout']) ??
    (behaviour === 'work' ? (definitionOf(kind).defaultTimeoutSecs ?? timeouts.node_timeout ?? DEFAULT_TIMEOUT_SECS) : null)
  );
}

const timeoutHint = (behaviour: string) => (behaviour === 'control' ? null : 'use timeout_secs in the kind');

/** Warns of keys of other kinds and of misspelt keys; any other key is the author's own. */
function warnAboutUnusedKeys(fields: Fields, type: string): void {
  for (const key of Object.keys(fields.raw)) {
    if (fields.knownKeys.has(key)) continue;
    if (DISTINCTIVE_KEYS.has(key)) {
      fields.warning('ignored_key', key, `has no meaning on a ${type} node`);
      continue;
    }
    const meant = key.length > 3 ? closest(key, fields.knownKeys) : null;
    if (meant !== null && !fields.knownKeys.has(key))
      fields.warning('unknown_key', key, 'is not a known key', `did you mean "${meant}"?`);
  }
}
