import type { Executor, WorkContext } from './executor.ts';
import { asToolFailure } from './failure.ts';
import { toJson } from './to-json.ts';

/** Characters of JSON. The input may be the whole state, which has its own limit. */
const MAX_INPUT_LENGTH = 64 * 1024 * 1024;

/**
 * Calls a function registered by the operator with the node's input. The input is a copy that the function may change; the result must be
 * JSON and is copied too.
 */
export function functionExecutor(tool: (input: never, context: WorkContext) => unknown): Executor {
  return async (work, context) => {
    let result: unknown;
    try {
      result = await tool(toJson(work.input, 'input', MAX_INPUT_LENGTH) as never, context);
    } catch (error) {
      throw asToolFailure(error);
    }
    return { output: toJson(result) };
  };
}
