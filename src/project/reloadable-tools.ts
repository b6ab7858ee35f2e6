import type { Tool, Tools } from '../runtime/types/work.ts';

/**
 * Tools whose functions can be replaced while a runtime uses them: an attempt that runs ends with the function that it began with, and the
 * next one gets the new one.
 */
export class ReloadableTools {
  readonly #functions = new Map<string, Tool>();
  readonly #tools: Record<string, Tool> = {};

  constructor(functions: Tools) {
    this.replace(functions);
  }

  /** For `createRuntime` and `startServer`; the same object always. */
  get tools(): Tools {
    return this.#tools;
  }

  replace(functions: Tools): void {
    for (const name of Object.keys(this.#tools)) if (!Object.hasOwn(functions, name)) delete this.#tools[name];
    for (const [name, tool] of Object.entries(functions)) {
      this.#functions.set(name, tool);
      // A workflow that was loaded before keeps this function, so it looks up the one to call.
      if (!Object.hasOwn(this.#tools, name)) this.#tools[name] = standInFor(() => this.#functions.get(name) ?? tool);
    }
  }
}

/** A function that does what the current one does, and has its properties: its description, or the state machine that it stands for. */
function standInFor(current: () => Tool): Tool {
  const standIn: Tool = () => null;
  return new Proxy(standIn, {
    apply: (_standIn, self, args) => Reflect.apply(current(), self, args),
    get: (_standIn, key) => Reflect.get(current(), key),
    has: (_standIn, key) => Reflect.has(current(), key),
  });
}
