import type { Executor } from './executor.ts';
import { contextHeaders, outputOf, requestContent } from './http-content.ts';
import type { Outbound } from './outbound/index.ts';

/** Executor of a tool declared with a URL (`tools.<name>` of kind `http`): POSTs the input as JSON; the response body is the output. */
export function httpToolExecutor(outbound: Outbound, reference: string): Executor {
  return async (work, context) => {
    const response = await outbound.request({
      url: reference,
      method: 'POST',
      ...requestContent(work.input, { ...contextHeaders(context), 'content-type': 'application/json' }),
      signal: context.signal,
    });
    return { output: outputOf(response) };
  };
}
