import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { Field } from '../../machines/nodes/field.ts';
import { definitionNamed, KIND_NAMES, type Kind, type KindName } from '../../machines/nodes/index.ts';
import { validate } from '../../machines/validate/index.ts';
import { workflow } from '../../src/index.ts';
import { checkWorkflow } from '../../src/library/yaml.ts';

/** A value of each field; those of one kind come first. */
const VALUES: Readonly<Record<string, Json>> = {
  output_key: 'k',
  output_to_state: { aField: 'k' },
  fallback_node: 'm',
  discard_output: true,
  input_mapping: { aKey: '{{ state.x }}' },
  output_schema: { type: 'object', properties: { aKey: {} } },
  schema: { type: 'object', properties: { aKey: {} } },
  structured_output: { type: 'object' },
  tool_ref: 't',
  server: 'brave',
  server_url: 'https://brave.example/mcp',
  tool: 'search',
  url: 'https://shop.example',
  method: 'post',
  headers: { aHeader: 'x' },
  query: { aKey: 'x' },
  body: { aKey: [1] },
  model_ref: 'gpt-4o',
  prompt_ref: 'Say.',
  prompt: 'Say.',
  system_prompt: 'Be short.',
  temperature: 0.5,
  max_tokens: 9,
  max_calls_per_answer: 7,
  max_repairs: 2,
  handoff: ['p', { agent: 'q', description: 'Pays.' }],
  thread: 'ann',
  max_messages: 20,
  summarise: { model: 'm', keep: 5 },
  max_turns: 3,
  max_tokens_per_turn: 4,
  parallel_tool_calls: 2,
  conversation_key: 'talk',
  agent_ref: 'legal',
  remote_agent: 'legal',
  agent: 'legal',
  mode: 'conversational',
  timeout_ms: 900,
  skill: 'review',
  protocol: 'a2a',
  agent_url: 'https://legal.example',
  on_input_required: 'm',
  stream: true,
  task_id: '{{ state.task }}',
  context_id: '{{ state.talk }}',
  task: 'Write.',
  required_skills: ['write'],
  preferred_skills: ['edit'],
  calls: ['v', 'w'],
  trust_domain: 'acme',
  budget: { max_cost_usd: 1 },
  tiebreaker: { model: 'gpt-4o', max_candidates: 4 },
  strategy: 'fair',
  weights: { cost_fit: 2 },
  connector_ref: 'handbook',
  query_expr: 'state.x',
  limit: 3,
  filter: { aKey: 1 },
  module: 'flows.pay',
  function: 'big',
  class_name: 'com.acme.Pay',
  branches: ['m', 'o'],
  default: 'o',
  join: 'm',
  wait_for: ['m'],
  merge_strategy: { custom: { function_ref: 'shop:merge' } },
  function_ref: 'shop:merge',
  machine: { id: 'm', initial: 'a', states: { a: {} } },
  description: 'Ship?',
  until: '2026-12-24T18:00:00Z',
  on_approved: 'm',
  on_rejected: 'o',
  on_timeout: 'o',
  on_blocked: 'm',
  timeout_secs: '90s',
  duration_secs: '90s',
  review_timeout_secs: '2h',
  condition: 'either',
  correlation_key: 'paid',
  workflow_ref: 'child',
  workflow_version: '2',
  output_mapping: { aKey: '{{ state.y }}' },
  scorers: [
    { type: 'llm_judge', model: 'gpt-4o', rubric: 'Good?', min_score: 4 },
    { type: 'assertion', check: 'output != null' },
    { type: 'latency', max_ms: 7 },
    { type: 'cost', max_cost_usd: 2 },
    { type: 'custom', scorer_ref: 't', kwargs: { aKey: 1 } },
  ],
  on_fail: 'escalate',
  max_retries: 2,
  input_expr: 'output.text',
  retry_node: 'm',
  policy_ref: 'tenant',
  on_violation: { branch: { target: 'o' } },
  subject: ['mail.send'],
  model: 'gpt-4o',
  run_on: 'failure',
};
const OF_KIND: Readonly<Partial<Record<KindName, Readonly<Record<string, Json>>>>> = {
  condition: { branches: [{ if: 'state.x', next: 'm' }] },
  model: { tools: [{ name: 'find', parameters: { type: 'object', properties: { aKey: {} } } }] },
  map: {
    items: '{{ state.list }}',
    as: 'one',
    do: { type: 'http', url: 'https://shop.example' },
    workflow: 'child',
    workflow_version: '2',
    input: { aKey: '{{ one }}' },
    max_concurrency: 4,
    on_item_error: { tolerate: 2 },
    strategy: 'first',
    timeout_total_secs: '2h',
    output: { aKey: '{{ output }}' },
  },
  agent: { tools: ['t', { name: 'pay', kind: { type: 'python_fn', module: 'shop', function: 'pay' } }] },
};

/** What stands beside the field, so that a node of the kind is complete. */
function besides(kind: KindName, key: string): readonly string[] {
  const { fields } = definitionNamed(kind).declaration;
  const ofModel = fields.model_ref !== undefined && fields.agent_ref !== undefined && !isRemote(key) ? ['model_ref'] : [];
  const required = Object.keys(fields).filter((other) => fields[other]?.options.required !== undefined);
  const also: Partial<Record<KindName, readonly string[]>> = {
    agent: ofModel,
    agent_discovery: ['skill'],
    agent_tool: key.startsWith('max_') ? ['mode'] : [],
    condition: ['branches'],
    eval: ['on_fail'],
    join: key === 'function_ref' ? ['merge_strategy'] : [],
    map: ofChild(key) ? ['workflow'] : [],
    parallel: ['branches'],
    wait: ['condition', 'correlation_key'],
  };
  return [...required, ...(also[kind] ?? [])].filter((other) => other !== key && !(other === 'do' && ofChild(key)));
}

const ofChild = (key: string) => ['workflow', 'workflow_version', 'input'].includes(key);

const isRemote = (key: string) => ['agent_ref', 'skill', 'on_input_required', 'stream', 'task_id', 'context_id'].includes(key);

const sampleOf = (kind: KindName, key: string): Json => {
  const value = OF_KIND[kind]?.[key] ?? VALUES[key];
  if (value === undefined) throw new Error(`no value for ${kind}.${key}`);
  return value;
};

/** A node that runs at the end is not the start. */
const startOf = (kind: KindName) => (kind === 'finalizer' ? 'o' : 'n');

const AGENTS = { p: { type: 'agent', model: 'gpt-4o' }, q: { type: 'agent', model: 'gpt-4o' } };
const OTHERS = { m: { type: 'finalizer', tool_ref: 't' }, o: { type: 'wait', condition: 'timer', timeout_secs: 1 }, ...AGENTS };

/** The node in normal form, and what is wrong with it. */
function normalForm(document: JsonObject | null, diagnostics: readonly { readonly message: string }[]): unknown {
  const said = diagnostics
    .map(({ message }) => message)
    .filter((message) => /unknown|no meaning|not a known key|say the same/.test(message));
  const { workflow: read } = document === null ? { workflow: null } : validate(document);
  return { kind: read?.nodes.find(({ id }) => id === 'n')?.kind ?? null, said };
}

type Written = Readonly<Record<string, Json>>;

function inJson(kind: KindName, keys: Written): unknown {
  const nodes = { n: { type: kind, ...keys }, ...OTHERS };
  const document = {
    workflow_id: 'w',
    version: '1',
    start_node: startOf(kind),
    nodes: Object.fromEntries(Object.entries(nodes).map(([id, node]) => [id, { kind: node }])),
  };
  return normalForm(document, validate(document).diagnostics);
}

function inYaml(kind: KindName, keys: Written): unknown {
  const nodes = { n: { type: kind, ...keys }, m: { type: 'finalizer', tool: 't' }, o: { type: 'wait', duration: 1 }, ...AGENTS };
  const { document, diagnostics } = checkWorkflow(
    JSON.stringify({ workflow: { id: 'w', version: '1', start: startOf(kind) }, nodes }),
    'w.yaml',
  );
  return normalForm(document, diagnostics);
}

const camel = (key: string) => key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function camelKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== 'object' || value === null) return value;
  const ofAuthor = (key: string) => ['parameters', 'kwargs', 'headers'].includes(key);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), ofAuthor(key) ? item : camelKeys(item)]));
}

function inTypeScript(kind: KindName, keys: Written): unknown {
  const written = Object.entries(keys).map(([key, value]) => {
    const isOwn =
      ['input', 'arguments', 'params', 'output', 'body', 'headers', 'query', 'filter'].includes(key) ||
      /mapping|to_state/.test(key);
    return [camel(key), isOwn || /schema|structured/.test(key) ? value : camelKeys(value)];
  });
  const nodes = {
    n: { type: kind, ...Object.fromEntries(written) },
    m: { type: 'finalizer', tool: 't' },
    o: { type: 'wait', duration: 1 },
    ...AGENTS,
  };
  const definition = workflow({ id: 'w', version: '1', start: startOf(kind), nodes } as never);
  const errors = definition.diagnostics.filter(({ severity }) => severity === 'error');
  return normalForm(errors.length > 0 ? null : definition.document, definition.diagnostics);
}

const READERS = { JSON: inJson, YAML: inYaml, TypeScript: inTypeScript };

const isWritten = ({ options: { only } }: Field, way: keyof typeof READERS) =>
  only !== 'normal form' && !(only === 'file' && way === 'JSON');

describe('a field of a kind', () => {
  const all = KIND_NAMES.flatMap((kind) =>
    Object.entries(definitionNamed(kind).declaration.fields).flatMap(([key, field]) =>
      field.options.only === 'normal form' ? [] : [[kind, key, field] as const],
    ),
  );

  it.each(all)('%s.%s is the same in all its spellings, in JSON, YAML and TypeScript', (kind, key, field) => {
    const rest = Object.fromEntries(besides(kind, key).map((other) => [other, sampleOf(kind, other)]));
    const results: [string, unknown][] = [];
    for (const [way, read] of Object.entries(READERS) as [keyof typeof READERS, typeof inJson][])
      if (isWritten(field, way))
        for (const spelling of new Set([key, ...(field.options.spellings ?? [])]))
          results.push([`${way}: ${spelling}`, read(kind, { ...rest, [spelling]: sampleOf(kind, key) })]);
    const [[, first] = []] = results;
    expect(first).toMatchObject({ kind: { type: expect.stringMatching(/./) }, said: [] });
    expect(Object.fromEntries(results)).toEqual(Object.fromEntries(results.map(([at]) => [at, first])));
    if (field.options.only === undefined) expect((first as { kind: Kind }).kind).toHaveProperty(key);
  });
});
