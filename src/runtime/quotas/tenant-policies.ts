import { policySetOf } from '../../../machines/ir/policy.ts';
import { isObject, type Json } from '../../../machines/json.ts';
import { type PolicySubject, type PolicyVerdict, tenantVerdict } from '../../../machines/policy.ts';
import type { TenantPolicy } from '../../../machines/run.ts';
import type { TenantRegistry } from '../../../store/port/resources/tenants.ts';
import { RuntimeError } from '../errors.ts';

/** The policies of the tenants that have one, held in memory so that steps need not read the store. */
export class TenantPolicies {
  readonly #tenants: Pick<TenantRegistry, 'policies'>;
  #policies = new Map<string, TenantPolicy>();
  /** Counts changes by this process: policies read before one are stale. */
  #changes = 0;

  constructor(tenants: Pick<TenantRegistry, 'policies'>) {
    this.#tenants = tenants;
  }

  /** Null = the tenant has no policy. */
  of(tenantId: string): TenantPolicy | null {
    return this.#policies.size === 0 ? null : (this.#policies.get(tenantId) ?? null);
  }

  /** Applies a change made by this process. `policy`: as stored; null = none. */
  changed(tenantId: string, policy: string | null): void {
    this.#changes += 1;
    const applied = policyOf(policy);
    if (applied === null) this.#policies.delete(tenantId);
    else this.#policies.set(tenantId, applied);
  }

  /** Reads all policies again, since another process may have changed any. */
  async reload(): Promise<void> {
    for (;;) {
      const before = this.#changes;
      const rows = await this.#tenants.policies();
      if (before !== this.#changes) continue;
      this.#policies = new Map(
        rows.flatMap(({ id, policy }) => {
          const applied = policyOf(policy);
          return applied === null ? [] : [[id, applied] as const];
        }),
      );
      return;
    }
  }
}

/** Throws `bad_request` for a rule that is not a list of texts. Other keys are kept and have no effect. */
export function checkPolicy(policy: Json): void {
  if (policy === null) return;
  if (!isObject(policy)) throw new RuntimeError('bad_request', 'policy must be a JSON object or null');
  const { problem } = policySetOf(policy);
  if (problem !== null) throw new RuntimeError('bad_request', `invalid policy: ${problem}`);
}

/** Null = it has no rules. */
function policyOf(text: string | null): TenantPolicy | null {
  const given: Json = text === null ? null : (JSON.parse(text) as Json);
  const policy = isObject(given) ? policySetOf(given).policy : null;
  if (policy === null) return null;
  return {
    verdict: (_node: string, subject: PolicySubject, narrower: PolicyVerdict | null) => tenantVerdict(policy, subject, narrower),
  };
}
