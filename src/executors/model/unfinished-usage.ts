import type { Json } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { costOf } from './prices.ts';
import type { ModelSettings } from './settings.ts';

/** A common measure for texts in English and for JSON. */
const BYTES_PER_TOKEN = 4;

export interface UnfinishedCall {
  /** The names by which the model may have a price. */
  readonly models: readonly string[];
  readonly request: Json;
  /** Characters that have been written. */
  readonly written: number;
}

/** What a call that was given up has used, as an estimate: providers say it only at the end of an answer. */
export function unfinishedUsage({ models, request, written }: UnfinishedCall, { prices }: ModelSettings): Usage {
  const input = Math.ceil(Buffer.byteLength(JSON.stringify(request)) / BYTES_PER_TOKEN);
  const output = Math.ceil(written / BYTES_PER_TOKEN);
  const costs = models.map((name) => costOf(name, { input, output, cachedInput: 0 }, prices));
  const cost = costs.find((each) => each !== null);
  const [model = ''] = models;
  return {
    gen_ai_model: model,
    input_tokens: input,
    output_tokens: output,
    finish_reason: 'aborted',
    ...(cost == null ? {} : { cost_usd: cost }),
  };
}
