import type { Usage } from '../../../machines/messages.ts';
import { shortened } from '../../../machines/shortened.ts';
import { usageSum } from '../../../machines/step/actions/usage.ts';
import { WorkError } from '../executor.ts';
import type { ReportedUsage } from './reported-usage.ts';

const FIELDS = { inputTokens: 'input_tokens', outputTokens: 'output_tokens', costUsd: 'cost_usd' } as const;
/** So that sums stay exact, and within what a budget can count. */
const MAX_TOKENS = 1e12;
const MAX_COST_USD = 1e9;

type Field = keyof typeof FIELDS;

/** Adds up what an attempt reports. */
export class UsageMeter {
  #total: Usage | null = null;

  /** Null = nothing was reported. */
  get total(): Usage | null {
    return this.#total;
  }

  /** Throws a `WorkError` that is not retried if a number cannot be counted. */
  add(reported: ReportedUsage): void {
    if (typeof reported !== 'object' || reported === null) throw invalid('', 'an object', reported);
    const sums: Record<string, number> = {};
    for (const [key, value] of Object.entries(reported)) {
      if (!Object.hasOwn(FIELDS, key)) throw invalid('', `an object with ${Object.keys(FIELDS).join(', ')}`, key);
      if (value === undefined) continue;
      sums[FIELDS[key as Field]] = countable(key as Field, value);
    }
    this.#total = usageSum(this.#total, sums);
  }
}

function countable(field: Field, value: unknown): number {
  const isCost = field === 'costUsd';
  const isValid = typeof value === 'number' && value >= 0 && (isCost ? value <= MAX_COST_USD : value <= MAX_TOKENS);
  if (isValid && (isCost || Number.isInteger(value))) return value;
  throw invalid(`${field}: `, isCost ? `USD from 0 to ${MAX_COST_USD}` : 'a whole number of tokens, 0 or more', value);
}

function invalid(field: string, expected: string, given: unknown): WorkError {
  const message = `reportUsage: ${field}expected ${expected}, not ${typeof given === 'string' ? `"${shortened(given, 100)}"` : String(given)}`;
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}
