import type { Json } from '../../../machines/json.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { type Located, MapReader, readItem } from '../map-reader.ts';
import { isMap } from '../tree.ts';
import { jsonOf } from '../values.ts';
import { STRATEGIES } from './strategies/index.ts';
import type { Strategy, StrategyAgent } from './strategies/strategy.ts';

/** A strategy is unrolled: each iteration is several nodes and templates. */
const MAX_ITERATIONS = 500;
const LIMITS = ['max_iterations', 'max_cost_usd', 'timeout_seconds'] as const;

export type Limits = Readonly<Record<(typeof LIMITS)[number], number>>;

/** An agent of a file: a goal, and the strategy that works towards it. */
export interface Agent extends StrategyAgent {
  readonly id: string;
  readonly strategy: Strategy;
  readonly strategyName: string;
  /** `strategy_config` as it is written. */
  readonly strategyConfig: Json;
  readonly limits: Limits;
  readonly goalOffset: number;
}

/** What an agent of a file with several takes from the rest of the file. */
export interface AgentDefaults {
  readonly model: Located<string> | null;
  readonly limits: MapReader | null;
  /** Names that `uses` adds to the tools. */
  readonly used: readonly string[];
}

const NO_DEFAULTS: AgentDefaults = { model: null, limits: null, used: [] };

/** Reads an agent. Null when something is missing or wrong, which is noted. */
export function readAgent(reader: MapReader, id: Located<string> | null, defaults: AgentDefaults = NO_DEFAULTS): Agent | null {
  const strategyName = reader.text('strategy');
  const goal = reader.text('goal');
  const model = reader.text('model') ?? defaults.model;
  const tools = readTools(reader);
  const limits = readLimits(reader, defaults.limits);
  const strategy = strategyName === null ? null : strategyNamed(reader, strategyName);
  reader.find('strategy_config');
  const config = strategy === null ? null : readConfig(reader, strategy.config);
  for (const [key, found] of Object.entries({ id, strategy: strategyName, goal, model })) {
    if (found === null || found.value === '')
      reader.error('missing_key', `${reader.name} has no ${key}`, reader.offset, `write "${key}: …" below it`);
  }
  if (id === null || strategyName === null || goal === null || model === null || limits === null) return null;
  if (strategy === null || config === null) return null;
  const names = [...new Set([...tools.map(({ value }) => value), ...defaults.used])];
  const [first] = tools;
  if (first !== undefined || defaults.used.length > 0) {
    const where = first?.offset ?? reader.find('uses')?.offset ?? reader.offset;
    const message = `${reader.name}: the prompts of strategy "${strategyName.value}" name its tools, but nothing calls them`;
    reader.warning('tools_not_called', message, where, 'an "agent" node with a model calls its tools');
  }
  return {
    id: id.value,
    goal: goal.value,
    goalOffset: goal.offset,
    model: model.value,
    tools: names,
    maxIterations: limits.max_iterations,
    limits,
    strategy,
    strategyName: strategyName.value,
    ...config,
  };
}

function strategyNamed(reader: MapReader, { value: name, offset }: Located<string>): Strategy | null {
  const known = Object.keys(STRATEGIES);
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (strategy !== undefined) return strategy;
  const hint = didYouMean(name, known) ?? `strategies: ${known.join(', ')}`;
  reader.error('unknown_strategy', `${reader.name}: strategy "${name}" does not exist`, offset, hint);
  return null;
}

/** Names of tools; an entry may also be a map with a `name`. */
function readTools(reader: MapReader): readonly Located<string>[] {
  return (reader.list('tools')?.value ?? []).flatMap((item, i): Located<string>[] => {
    const read = readItem(item, `tool ${i + 1} of ${reader.name}`, reader, 'a name, or a map with a name');
    if (!(read instanceof MapReader)) return read === null ? [] : [read];
    const name = read.text('name');
    for (const key of ['description', 'input_schema', 'output_schema', 'parameters']) read.find(key);
    read.warnAboutUnread();
    if (name === null) read.error('missing_key', `${read.name} has no name`, read.offset, 'write "name: …"');
    return name === null ? [] : [name];
  });
}

/** The limits of an agent; what it leaves out comes from the defaults. */
function readLimits(reader: MapReader, defaults: MapReader | null): Limits | null {
  const own = reader.map(`limits of ${reader.name}`, 'limits');
  const found = LIMITS.flatMap((key): [string, number][] => {
    const spellings = key === 'timeout_seconds' ? ['timeout_seconds', 'timeout'] : [key];
    const from = own?.has(...spellings) === true ? own : defaults?.has(...spellings) === true ? defaults : null;
    const value = from === null ? null : readLimit(from, key, spellings);
    if (from === null) {
      const hint = 'limits: { max_iterations: 10, max_cost_usd: 0.50, timeout_seconds: 120 }';
      reader.error('missing_key', `${reader.name} has no limit "${key}"`, own?.offset ?? reader.offset, hint);
    }
    return value === null ? [] : [[key, value]];
  });
  own?.warnAboutUnread();
  return found.length === LIMITS.length ? (Object.fromEntries(found) as Limits) : null;
}

function readLimit(limits: MapReader, key: (typeof LIMITS)[number], spellings: readonly string[]): number | null {
  if (key === 'timeout_seconds') return limits.seconds(spellings)?.value ?? null;
  const found = limits.json(key);
  if (found === null) return null;
  const { value, offset } = found;
  const whole = key === 'max_iterations';
  const fits = typeof value === 'number' && value > 0 && (!whole || (Number.isInteger(value) && value <= MAX_ITERATIONS));
  if (fits) return value;
  const wanted = whole ? `a whole number from 1 to ${MAX_ITERATIONS}` : 'a number above 0';
  limits.error('wrong_type', `${limits.name}: "${key}" must be ${wanted}`, offset);
  return null;
}

type ReadConfig = Pick<Agent, 'config' | 'strategyConfig'>;

function readConfig(reader: MapReader, keys: Strategy['config']): ReadConfig | null {
  const given = reader.map(`strategy_config of ${reader.name}`, 'strategy_config');
  if (given === null) return reader.has('strategy_config') ? null : { config: { models: {}, numbers: {} }, strategyConfig: {} };
  const models: Record<string, string> = {};
  const numbers: Record<string, number> = {};
  let failed = false;
  for (const [key, holds] of Object.entries(keys)) {
    if (!given.has(key)) {
      given.find(key);
      continue;
    }
    if (holds === 'model') {
      const model = given.text(key)?.value;
      if (model === undefined) failed = true;
      else models[key] = model;
      continue;
    }
    const found = given.json(key);
    const value = found?.value;
    const fits =
      typeof value === 'number' &&
      (holds === 'score' ? value >= 0 && value <= 1 : Number.isInteger(value) && value >= 1 && value <= MAX_ITERATIONS);
    if (fits) numbers[key] = value;
    else {
      const wanted = holds === 'score' ? 'a number from 0 to 1' : `a whole number from 1 to ${MAX_ITERATIONS}`;
      given.error('wrong_type', `${given.name}: "${key}" must be ${wanted}`, found?.offset ?? given.offset);
      failed = true;
    }
  }
  given.warnAboutUnread();
  const field = reader.find('strategy_config');
  const strategyConfig = isMap(field?.value) ? jsonOf(field.value, reader.source) : {};
  return failed ? null : { config: { models, numbers }, strategyConfig };
}
