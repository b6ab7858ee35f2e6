import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import { Type } from '../type.ts';
import type { KindDefaults, WorkMark } from './field.ts';
import { choice, custom, integer, json, seconds, text } from './fields.ts';
import { declareKind, defineKind, type KindDefinition, type KindOf } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';
import { subgraph } from './subgraph.ts';
import { WORK_KINDS } from './work-kinds.ts';

const DEFAULT_CONCURRENCY = 16;
const MAX_CONCURRENCY = 1_000;

/** The kinds that can do the work of an item. */
const ITEM_KINDS = { ...WORK_KINDS, subgraph };

export type ItemKindName = keyof typeof ITEM_KINDS;
type ItemKind = { readonly type: ItemKindName } & { readonly [key: string]: unknown };
/** Asked about any of them. */
type AnyDefinition = KindDefinition<ItemKind>;

const ITEM_KIND_NAMES = Object.keys(ITEM_KINDS) as readonly ItemKindName[];
/** Keys of nodes that belong to the map, and not to the work of an item. */
const KEYS_OF_MAP = [...Object.keys(OUTPUT), 'fallback', 'retry', 'retry_policy', 'timeout', 'node_timeout_secs', 'policy'];
/** Names that templates read otherwise. */
const RESERVED = ['state', 'output', 'input', 'env', 'index', 'execution', 'node', 'workflow'];
const WORDS = ['and', 'or', 'not', 'in', 'is', 'if', 'else', 'true', 'false', 'null', 'none', 'True', 'False', 'None'];

const ITEM_ERRORS = ['fail', 'collect'] as const;
type OnItemError = (typeof ITEM_ERRORS)[number] | { readonly tolerate: number | string };
/** What is several nodes, or parks, is possible for an item, too. */
const CHILD_WORKFLOW = 'a child workflow does it: put it into a workflow of its own, and name that as "workflow"';
const PERCENT = /^(?:100|\d{1,2})(?:\.\d+)?%$/;

const MAP = declareKind({
  type: 'map',
  description:
    'Does the same work for every item of a list, several at a time. Its output is the list of the results, in the order of the items.',
  fields: {
    items: custom(
      {
        document: Type.Unsafe<string | readonly Json[]>({
          type: ['string', 'array'],
          description:
            'The list: an expression that gives one, with or without `{{ }}`, or a list of values and templates. It is taken once, when the node starts.',
        }),
        read: readItems,
      },
      { required: true, distinctive: true, spellings: ['items', 'over'] },
    ),
    as: custom(
      {
        document: Type.String({
          description: 'Name by which templates read the item. `index` is beside it: 0, 1, 2 … Default: `item`.',
        }),
        holds: 'text',
        read: readName,
      },
      { default: 'item' },
    ),
    do: custom(
      {
        schema: Type.Unsafe<ItemKind>({ type: 'object', description: 'The work of one item, in normal form.' }),
        document: Type.Unsafe<WorkMark>({
          type: 'object',
          properties: { type: Type.Enum([...ITEM_KIND_NAMES], { description: 'Its kind.' }) },
          required: ['type'],
          description:
            'The work of one item: any kind that takes an input and gives a result, with the keys of that kind. Without an input, it is given the item. In its place, `workflow` and `input` name a workflow that runs once for each item.',
        }),
        holds: 'work',
        read: readWork,
      },
      { required: 'document', distinctive: true },
    ),
    workflow: text('Workflow of which one child execution runs for each item, in place of `do`.', {
      only: 'document and file',
      names: 'workflow',
    }),
    workflow_version: text('Its version. Default: the version that was registered last.', { only: 'document and file' }),
    input: json('The input of the child execution, an object of values and `{{ … }}` templates. Default: the item.', {
      only: 'document and file',
    }),
    max_concurrency: integer(`Items at work at the same time, at most. Default: ${DEFAULT_CONCURRENCY}.`, {
      minimum: 1,
      maximum: MAX_CONCURRENCY,
      default: DEFAULT_CONCURRENCY,
      distinctive: true,
    }),
    on_item_error: custom(
      {
        document: Type.Unsafe<OnItemError>({
          type: ['string', 'object'],
          description:
            'What follows when an item has failed for good. `fail`: the node fails, and the other items are cancelled. `collect`: the place of the item holds `{error}`. `{tolerate: 5}` or `{tolerate: "10%"}`: like `collect`, up to so many failed items; then the node fails. Default: `fail`.',
        }),
        read: readOnItemError,
      },
      { distinctive: true },
    ),
    strategy: choice(
      ['all', 'first'],
      '`first`: the first result is the output, and the other items are cancelled; the node fails when all items have failed. Default: `all`.',
    ),
    timeout_total_secs: seconds('Time for the whole list; `timeout` is for one attempt at an item. Default: no limit.', {
      spellings: ['timeout_total'],
      distinctive: true,
    }),
    output: json('Template for what is kept of each result, which it reads as `output`. Default: all of it.'),
    ...OUTPUT,
  },
});

export type MapKind = KindOf<typeof MAP>;

function readItems(fields: Fields, key: string): string | readonly Json[] | undefined {
  const given = fields.json(key);
  if (Array.isArray(given)) return given as readonly Json[];
  if (typeof given === 'string' && given.trim() !== '') {
    const expression = given.trim();
    return expression.startsWith('{{') && expression.endsWith('}}') ? expression : `{{ ${expression} }}`;
  }
  const problem = given === undefined || given === '' ? 'is required' : 'must be an expression that gives a list, or a list';
  fields.error(given === undefined ? 'missing_key' : 'wrong_type', key, problem, 'such as "{{ state.customers }}"');
  return '{{ [] }}';
}

function readName(fields: Fields, key: string): string | undefined {
  const name = fields.text(key);
  if (name === undefined) return undefined;
  if (!/^[A-Za-z_]\w*$/.test(name)) fields.error('bad_name', key, 'must be letters, digits and "_"');
  else if ([...RESERVED, ...WORDS].includes(name))
    fields.error('bad_name', key, `must not be "${name}", which has another meaning`);
  return name;
}

function readWork(fields: Fields, key: string, defaults: KindDefaults): ItemKind | undefined {
  const workflow = fields.text('workflow');
  const version = fields.version('workflow_version');
  const input = fields.json('input');
  const given = fields.object(key);
  if (given !== undefined && workflow !== undefined)
    fields.error('given_twice', 'workflow', 'and "do" both name the work of an item');
  if (given === undefined && workflow === undefined) {
    if (fields.json(key) === undefined)
      fields.error(
        'missing_key',
        key,
        'is required: the work of one item',
        'such as do: {type: tool, tool_ref: lookup, input: {…}}',
      );
    return undefined;
  }
  const child = {
    type: 'subgraph',
    workflow_ref: workflow ?? null,
    workflow_version: version ?? null,
    input_mapping: input ?? null,
  };
  return given === undefined ? readKind(fields, '', child, defaults) : readKind(fields, key, given, defaults);
}

function readKind(fields: Fields, key: string, given: JsonObject, defaults: KindDefaults): ItemKind | undefined {
  const own = key === '' ? fields : fields.inside(key, given);
  const type = ITEM_KIND_NAMES.find((name) => name === given.type);
  if (type === undefined) {
    const available = `possible: ${ITEM_KIND_NAMES.join(', ')}; for anything else, ${CHILD_WORKFLOW}`;
    own.error(
      'bad_item_work',
      'type',
      `must be a kind that takes an input and gives a result, not ${JSON.stringify(given.type ?? null)}`,
      () => {
        if (given.type === MAP.type) return CHILD_WORKFLOW;
        return typeof given.type === 'string' ? (didYouMean(given.type, ITEM_KIND_NAMES) ?? available) : available;
      },
    );
    return undefined;
  }
  const definition = ITEM_KINDS[type] as unknown as AnyDefinition;
  const kind = definition.normalise(key === '' ? fields.inside('workflow', given) : own, defaults);
  for (const misplaced of KEYS_OF_MAP)
    if (key !== '' && given[misplaced] !== undefined) own.error('misplaced_key', misplaced, 'belongs to the map, beside "do"');
  if (definition.handoffs(kind).length > 0)
    own.error('bad_handoff', 'handoff', 'is not possible for an item: its answer is the result of the item', CHILD_WORKFLOW);
  if ((definition.expand(kind, '')?.nodes.length ?? 0) > 0)
    own.error('bad_item_work', 'tools', 'are not possible for an item: an agent with tools is several nodes', CHILD_WORKFLOW);
  return kind;
}

function readOnItemError(fields: Fields, key: string): OnItemError | undefined {
  const given = fields.json(key);
  if (given === undefined) return undefined;
  const word = ITEM_ERRORS.find((known) => known === given);
  if (word !== undefined) return word;
  const tolerate = isObject(given) ? given.tolerate : undefined;
  if (typeof tolerate === 'number' && Number.isInteger(tolerate) && tolerate >= 0) return { tolerate };
  if (typeof tolerate === 'string' && PERCENT.test(tolerate)) return { tolerate };
  fields.error('wrong_type', key, 'must be "fail", "collect", {tolerate: 5} or {tolerate: "10%"}');
  return undefined;
}

/** How many of `count` items may fail. */
function tolerated({ on_item_error: given = 'fail', strategy }: MapKind, count: number): number {
  if (strategy === 'first' || given === 'collect') return count;
  if (given === 'fail') return 0;
  const { tolerate } = given;
  return typeof tolerate === 'number' ? tolerate : Math.floor((count * Number.parseFloat(tolerate)) / 100);
}

/** Stands in for work that cannot be read. */
const NO_WORK: ItemKind = { type: 'tool', tool_ref: '' };

const workOf = (kind: MapKind): ItemKind => kind.do ?? NO_WORK;
const definitionOf = (kind: MapKind): AnyDefinition => ITEM_KINDS[workOf(kind).type] as unknown as AnyDefinition;

/** Says of its work what the definition of that says. */
export const map = defineKind(MAP, {
  behaviour: () => 'items',
  check(kind, fields) {
    if (kind.strategy === 'first' && kind.on_item_error !== undefined)
      fields.error(
        'contradiction',
        'on_item_error',
        'has no meaning with strategy "first", which fails when all items have failed',
      );
  },
  itemWork: (kind) => ({
    items: kind.items as Json,
    as: kind.as,
    work: workOf(kind),
    output: kind.output ?? null,
    maxConcurrency: kind.max_concurrency,
    takesFirst: kind.strategy === 'first',
    tolerated: (count) => tolerated(kind, count),
  }),
  parkTimeout: ({ timeout_total_secs: total }) => (total === undefined ? null : Math.ceil(total * 1_000)),
  queue: (kind) => definitionOf(kind).queue(workOf(kind)),
  policyNames: (kind) => definitionOf(kind).policyNames(workOf(kind)),
  tool: (kind) => definitionOf(kind).tool(workOf(kind)),
  catalogTool: (kind) => definitionOf(kind).catalogTool(workOf(kind)),
  mcpServer: (kind) => definitionOf(kind).mcpServer(workOf(kind)),
  remoteAgent: (kind) => definitionOf(kind).remoteAgent(workOf(kind)),
  withFunction: (kind, named) => ({ ...kind, do: definitionOf(kind).withFunction(workOf(kind), named) }),
  models: (kind) => definitionOf(kind).models(workOf(kind)),
  furtherModels: (kind) => definitionOf(kind).furtherModels(workOf(kind)),
  catalogModels: (kind) => definitionOf(kind).catalogModels(workOf(kind)),
  furtherCatalogModels: (kind) => definitionOf(kind).furtherCatalogModels(workOf(kind)),
  withModel: (kind, name, declared) => ({ ...kind, do: definitionOf(kind).withModel(workOf(kind), name, declared) }),
  furtherTools: (kind) => definitionOf(kind).furtherTools(workOf(kind)),
  assertions: (kind) => definitionOf(kind).assertions(workOf(kind)),
  childWorkflow: (kind) => definitionOf(kind).childWorkflow(workOf(kind)),
  mapping: (kind) => definitionOf(kind).mapping(workOf(kind)),
  mappingKey: 'do',
  outputMapping: (kind) => definitionOf(kind).outputMapping(workOf(kind)),
  exploredOutputs: () => [[]],
  summary: (kind) => `${definitionOf(kind).summary(workOf(kind))} for ${typeof kind.items === 'string' ? kind.items : 'a list'}`,
  diagramShape: 'parallel',
  letter: '*',
});
