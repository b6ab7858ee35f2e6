import { randomUUID } from 'node:crypto';
import { MAX_OPERATIONS } from '../../../machines/journal.ts';
import { canonicalJson, isObject, type Json } from '../../../machines/json.ts';
import type { Work } from '../../../machines/run.ts';
import type { WorkContext } from '../executor.ts';
import { toJson } from '../to-json.ts';
import type {
  Answer,
  CallableWorkflow,
  CallOptions,
  DurableContext,
  MapOptions,
  Question,
  StepContext,
  StepOptions,
  WaitDuration,
} from './context.ts';
import type { JournalSession, UpdateHandler } from './journal-session.ts';
import { checkedName, durationMs, invalid, shown, timeMs } from './names.ts';
import { retryPolicyOf } from './retry-policy.ts';

/** Items of a list that are at work at once, as of a `map` node. */
const DEFAULT_CONCURRENCY = 16;

/** The operations of a durable function, as its code sees them. */
export function durableContext(session: JournalSession, { state }: Work): DurableContext {
  const operations = new Operations(session);
  const { tenantId, executionId: id, nodeId, labels, startedBy, idempotencyKey, attempt } = session.context;
  return {
    step: (name, run, options) => handled(operations.step(name, run, options)),
    map: (name, list, run, options) => handled(operations.map(name, list, run, options)),
    sleep: (duration) => operations.sleep({ limitMs: durationMs('the time of ctx.sleep', duration) }),
    sleepUntil: (time) => operations.sleep({ untilMs: timeMs('the time of ctx.sleepUntil', time) }),
    event: (key, options) => handled(operations.event(key, options?.timeout)),
    call: (workflow, ...given) => handled(operations.call(workflow, ...given)),
    approval: (question) => handled(operations.approval(question)),
    expose: (fields) => handled(operations.expose(fields)),
    continueAsNew: (input) => operations.continueAsNew(input),
    onUpdate: (name, schema, handler) => operations.onUpdate(name, schema, handler as UpdateHandler),
    now: () => operations.value('now', () => session.clock.nowMs()),
    random: () => operations.value('random', () => Math.random()),
    uuid: () => operations.value('uuid', () => randomUUID()),
    version: (change, min, max) => operations.version(change, min, max),
    get log() {
      return session.isAgain ? SILENT : session.context.log;
    },
    progress: (said) => session.context.progress(said),
    signal: session.signal,
    execution: { id, tenantId, nodeId, labels, startedBy, idempotencyKey, attempt },
    state,
  };
}

/** A function may await an operation later, after another one, or never: its failure is in the log, and must not end the process meanwhile. */
function handled<T>(operation: Promise<T>): Promise<T> {
  operation.catch(() => {});
  return operation;
}

class Operations {
  readonly #session: JournalSession;
  /** Canonical JSON of what was exposed last; null = nothing. */
  #exposed: string | null = null;
  /** Names of updates. */
  readonly #updates = new Set<string>();
  readonly #versions = new Map<string, Promise<number>>();

  constructor(session: JournalSession) {
    this.#session = session;
  }

  async step<T>(name: string, run: (context: StepContext) => T | Promise<T>, options: StepOptions = {}): Promise<T> {
    const checked = checkedName('the name of a step', name);
    if (typeof run !== 'function') throw invalid(`ctx.step("${checked}") needs the function to run as its second argument`);
    const retry = retryPolicyOf(options.retry);
    const timeoutMs = options.timeout === undefined ? null : durationMs('the timeout of a step', options.timeout);
    return this.#session.begin('step', checked, {}, { step: { run, retry, timeoutMs } });
  }

  /** Which item begins next follows from the order in which results are given, so it is the same in every run. */
  async map<T, R>(
    name: string,
    list: readonly T[],
    run: (item: T, index: number, context: StepContext) => R | Promise<R>,
    { maxConcurrency = DEFAULT_CONCURRENCY, ...options }: MapOptions = {},
  ): Promise<R[]> {
    const checked = checkedName('the name of ctx.map', name);
    const call = `ctx.map("${checked}")`;
    if (!Array.isArray(list)) throw invalid(`${call} needs a list as its second argument, not ${shown(list)}`);
    if (typeof run !== 'function') throw invalid(`${call} needs the function to run for each item as its third argument`);
    if (!Number.isInteger(maxConcurrency) || maxConcurrency < 1)
      throw invalid(`maxConcurrency of ${call} must be an integer of at least 1, not ${shown(maxConcurrency)}`);
    if (list.length > MAX_OPERATIONS)
      throw invalid(`${call} has ${list.length} items, more than the ${MAX_OPERATIONS} that are possible`);
    const items = [...list];
    checkedName('the name of the last item of ctx.map', `${checked}[${items.length}]`);
    const results: R[] = new Array(items.length);
    let [next, failure]: [number, { readonly error: unknown } | null] = [0, null];
    const worker = async (): Promise<void> => {
      while (next < items.length && failure === null) {
        const index = next;
        next += 1;
        try {
          results[index] = await this.step(`${checked}[${index}]`, (context) => run(items[index] as T, index, context), options);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxConcurrency, items.length) }, worker));
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
    return results;
  }

  async sleep(until: { readonly limitMs: number } | { readonly untilMs: number }): Promise<void> {
    await this.#session.begin('sleep', 'sleep', until);
  }

  async event<T>(key: string, timeout: WaitDuration | undefined): Promise<T | null> {
    const checked = checkedName('the key of an event', key);
    const limit = timeout === undefined ? {} : { limitMs: durationMs('the timeout of an event', timeout) };
    return this.#session.begin('event', checked, { key: checked, ...limit });
  }

  async call<T>(
    workflow: string | CallableWorkflow<unknown, unknown>,
    input: unknown = {},
    { version }: CallOptions = {},
  ): Promise<T> {
    const definition = isDefinition(workflow) ? workflow : null;
    const id = checkedName('the workflow of ctx.call', definition === null ? workflow : definition.id);
    const wanted = version ?? definition?.version;
    const of = wanted === undefined ? {} : { version: checkedName('the version of a called workflow', wanted) };
    return this.#session.begin('call', id, { workflow: id, input: toJson(input, `the input of ctx.call("${id}")`), ...of });
  }

  async approval({ message, timeout }: Question): Promise<Answer> {
    if (typeof message !== 'string' || message === '' || !message.isWellFormed())
      throw invalid('ctx.approval needs a message: what the person is asked');
    const limit = timeout === undefined ? {} : { limitMs: durationMs('the timeout of an approval', timeout) };
    return this.#session.begin('approval', 'approval', { message, ...limit });
  }

  /** What was exposed last is still seen. */
  async expose(fields: object): Promise<void> {
    const exposed = toJson(fields, 'what ctx.expose is given');
    if (!isObject(exposed))
      throw invalid(`ctx.expose needs an object, whose fields become fields of the state, not ${shown(fields)}`);
    const text = canonicalJson(exposed);
    if (text === this.#exposed) return;
    this.#exposed = text;
    await this.#session.begin('expose', 'expose', { exposed });
  }

  onUpdate(name: string, given: unknown, handler: UpdateHandler): void {
    const checked = checkedName('the name of an update', name);
    const call = `ctx.onUpdate("${checked}")`;
    const schema = given === null ? null : toJson(given, `the schema of ${call}`);
    if (schema !== null && (!isObject(schema) || isObject(schema['~standard'])))
      throw invalid(`${call} needs a TypeBox schema, a JSON Schema or null, not ${shown(given)}`);
    if (typeof handler !== 'function') throw invalid(`${call} needs the handler as its third argument`);
    if (this.#updates.has(checked)) throw invalid(`${call} was called before: an update has one handler`);
    this.#updates.add(checked);
    this.#session.handle(checked, schema, handler);
  }

  async continueAsNew(input: unknown = {}): Promise<never> {
    return this.#session.begin('continue', 'continueAsNew', { input: toJson(input, 'the input of ctx.continueAsNew') });
  }

  async value<T extends Json>(name: string, value: () => T): Promise<T> {
    return this.#session.begin('value', name, {}, { value });
  }

  /** Asked for once; a change that the journal does not have was made after the function was here. */
  version(change: string, min: number, max: number): Promise<number> {
    const known = this.#versions.get(change);
    if (known !== undefined) return known;
    const version = this.#recordedVersion(change, min, max);
    this.#versions.set(change, version);
    return version;
  }

  async #recordedVersion(change: string, min: number, max: number): Promise<number> {
    const name = `version ${checkedName('the name of a change', change)}`;
    if (!Number.isInteger(min) || !Number.isInteger(max) || min > max)
      throw invalid(`ctx.version("${change}") needs two integers, the lower one first`);
    const here = this.#session.journal.get(this.#session.next);
    const isBefore = here !== undefined && here.name !== name;
    const version = isBefore ? min : await this.value(name, () => max);
    if (version < min || version > max)
      throw invalid(`version ${version} of "${change}" was recorded, but the code supports ${min} to ${max}`);
    return version;
  }
}

function isDefinition(workflow: unknown): workflow is CallableWorkflow<unknown, unknown> {
  return typeof workflow === 'object' && workflow !== null;
}

const SILENT: WorkContext['log'] = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
