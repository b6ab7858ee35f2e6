import { isObject, type Json } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { RuntimeError } from '../errors.ts';

/** Upper limits of a tenant. An absent field means unlimited. */
export interface TenantLimits {
  /** Executions that have not ended. Child executions count; over the limit they wait instead of being refused. */
  readonly max_concurrent_executions?: number;
  /** Distinct workflow ids; versions of one id count once. */
  readonly max_workflows?: number;
  /** All requests made with a token of the tenant. */
  readonly max_requests_per_minute?: number;
  /** Input plus output tokens that nodes report in a calendar month (UTC). */
  readonly max_tokens_per_month?: number;
  readonly max_cost_per_month_usd?: number;
  /** Of logs, artifacts, memory, threads, deliveries … (`StoredTable` in store/resources/queries/storage.ts). */
  readonly max_storage_bytes?: number;
  /** What one attempt may report to have cost, where its model has no known price. Absent = 100. */
  readonly max_cost_per_call_usd?: number;
  /** Input tokens, and output tokens, that one attempt may report. Absent = 10,000,000. */
  readonly max_tokens_per_call?: number;
  /** Days after which ended executions are deleted. */
  readonly retention_days?: number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const COUNT: Bounds = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true };
const BOUNDS: Readonly<Record<keyof TenantLimits, Bounds>> = {
  max_concurrent_executions: COUNT,
  max_workflows: COUNT,
  // At 0 no request could be made to raise the limit again.
  max_requests_per_minute: { ...COUNT, min: 1 },
  max_tokens_per_month: COUNT,
  max_cost_per_month_usd: { ...COUNT, whole: false },
  max_storage_bytes: COUNT,
  max_cost_per_call_usd: { ...COUNT, whole: false },
  max_tokens_per_call: COUNT,
  retention_days: { min: 1, max: 36_500, whole: true },
};

/** Parses limits from a request; null removes a limit. Throws `bad_request` that lists unknown names. */
export function parseLimits(given: Json): TenantLimits {
  if (!isObject(given)) throw invalid('must be a JSON object');
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(BOUNDS, name));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map((name) => JSON.stringify(shortened(name, 64)));
    throw invalid(`unknown ${names.join(', ')}; known limits are ${Object.keys(BOUNDS).join(', ')}`);
  }
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  for (const [name, value] of entries) check(name as keyof TenantLimits, value);
  return Object.fromEntries(entries);
}

function check(name: keyof TenantLimits, value: Json): void {
  const { min, max, whole } = BOUNDS[name];
  const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (!fits) throw invalid(`${name} must be ${whole ? 'a whole number' : 'a number'} from ${min} to ${max}`);
}

function invalid(problem: string): RuntimeError {
  return new RuntimeError('bad_request', `invalid limits: ${problem}`);
}
