import Module, { createRequire } from 'node:module';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

interface Extractor {
  extractMachinesFromFile(code: string): { readonly machines: readonly ({ toConfig(): JsonObject } | undefined)[] } | null;
}

/** Of the time of XState 4, whose names of built-in actions it asks for; it reads both. */
const extractor = withXState4(() => createRequire(import.meta.url)('@xstate/machine-extractor') as Extractor);

function withXState4<T>(load: () => T): T {
  const resolver = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const { _resolveFilename: resolve } = resolver;
  resolver._resolveFilename = (request, ...rest) =>
    resolve.call(Module, request.replace(/^xstate\/lib\//, 'xstate4/lib/'), ...rest);
  try {
    return load();
  } finally {
    resolver._resolveFilename = resolve;
  }
}

/** The machine that Stately's tools find in a file of code with this config in it, written as `outline` writes it. */
export function readByStately(config: JsonObject): Json {
  const code = `import { createMachine } from 'xstate';\n\nexport const machine = createMachine(${JSON.stringify(config, null, 2)});\n`;
  const [machine, ...more] = extractor.extractMachinesFromFile(code)?.machines ?? [];
  if (machine === undefined || more.length > 0) throw new Error('there is not exactly one machine in the file');
  return outline(machine.toConfig());
}

/** What is drawn of a machine: its states, and for each transition the event, the guard, the target and the actions. */
export function outline(config: JsonObject): JsonObject {
  const { id, initial, type, tags, entry, exit, on, after, always, onDone, states } = config;
  const parts: Readonly<Record<string, Json | undefined>> = {
    id,
    initial,
    type,
    tags: listOf(tags),
    entry: listOf(entry).map(named),
    exit: listOf(exit).map(named),
    on: mapped(on, transitions),
    after: mapped(after, transitions),
    always: transitions(always),
    onDone: transitions(onDone),
    states: mapped(states, (state) => outline(state as JsonObject)),
  };
  return Object.fromEntries(Object.entries(parts).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

function transitions(given: Json | undefined): Json {
  return listOf(given).map((transition) => {
    if (!isObject(transition)) return { target: transition, actions: [] };
    // A guard was a condition once.
    const guard = transition.guard ?? transition.cond;
    return {
      ...(transition.target === undefined ? {} : { target: transition.target }),
      ...(guard === undefined ? {} : { guard: named(guard) }),
      actions: listOf(transition.actions).map(named),
    };
  });
}

function named(given: Json): Json {
  const inner = isObject(given) && isObject(given.action) ? given.action : given;
  if (!isObject(inner)) return { type: inner };
  return { type: inner.type ?? null, ...(inner.params === undefined ? {} : { params: inner.params }) };
}

function listOf(given: Json | undefined): readonly Json[] {
  return given === undefined ? [] : Array.isArray(given) ? given : [given as Json];
}

function mapped(given: Json | undefined, write: (value: Json) => Json): Json {
  return Object.fromEntries(Object.entries(isObject(given) ? given : {}).map(([key, value]) => [key, write(value)]));
}
