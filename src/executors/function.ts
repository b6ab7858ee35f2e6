import type { Executor, WorkContext } from './executor.ts';
import { asWorkError } from './failure.ts';
import { toJson } from './to-json.ts';

/** The input may be the whole state, whose size is limited already. */
const MAX_INPUT_LENGTH = 64 * 1024 * 1024;

/**
 * Calls an operator's function with the node's input. The input is a copy, so that the function may change it; so is the
 * result, which must be JSON.
 */
export function functionExecutor(tool: (input: never, context: WorkContext) => unknown): Executor {
  return async (work, context) => {
    let result: unknown;
    try {
      result = await tool(toJson(work.input, 'input', MAX_INPUT_LENGTH) as never, context);
    } catch (error) {
      throw asWorkError(error);
    }
    return { output: toJson(result) };
  };
}
