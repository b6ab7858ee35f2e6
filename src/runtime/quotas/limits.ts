import { isObject, type Json } from '../../../machines/json.ts';
import { RuntimeError } from '../errors.ts';

/** What a tenant may at most; what is absent is not limited. */
export interface TenantLimits {
  /** Executions that have not ended. Children count, but are never refused. */
  readonly max_concurrent_executions?: number;
  /** Workflow ids; versions do not count. */
  readonly max_workflows?: number;
  /** Requests with a token of the tenant, whatever they ask for. */
  readonly max_requests_per_minute?: number;
  /** Input and output tokens that nodes report in a calendar month (UTC). */
  readonly max_tokens_per_month?: number;
  readonly max_cost_per_month_usd?: number;
  /** Days after which ended executions are removed. */
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
  // With none at all nobody could lift the limit again.
  max_requests_per_minute: { ...COUNT, min: 1 },
  max_tokens_per_month: COUNT,
  max_cost_per_month_usd: { ...COUNT, whole: false },
  retention_days: { min: 1, max: 36_500, whole: true },
};

/** Limits as a client gives them; a limit that is null is left out. Throws `bad_request`, naming everything that is unknown. */
export function parseLimits(given: Json): TenantLimits {
  if (!isObject(given)) throw invalid('must be a JSON object');
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(BOUNDS, name));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 64)));
    throw invalid(`unknown ${names.join(', ')}; there are ${Object.keys(BOUNDS).join(', ')}`);
  }
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  for (const [name, value] of entries) check(name as keyof TenantLimits, value);
  return Object.fromEntries(entries);
}

function check(name: keyof TenantLimits, value: Json): void {
  const { min: least, max: most, whole } = BOUNDS[name];
  const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits) throw invalid(`${name} must be ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`);
}

function invalid(problem: string): RuntimeError {
  return new RuntimeError('bad_request', `invalid limits: ${problem}`);
}
