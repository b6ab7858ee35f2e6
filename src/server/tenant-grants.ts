import type { Tools } from '../runtime/types/work.ts';

/** Variables and in-process tools that the operator grants to tenants through the environment. */

/** Wildcard: every tenant, or every tool without an entry of its own. */
const ALL = '*';
/** The tenant of an entry without one. */
const DEFAULT_TENANT = 'default';
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const VARIABLE_NAME = /^[A-Za-z_]\w*$/;

/** An environment variable has an invalid value; the message continues `NAME: `. */
export class InvalidValue extends Error {}

/** Values by tenant; `*` = every tenant. */
export type TenantVars = ReadonlyMap<string, Readonly<Record<string, string>>>;
/** Tenants by tool; `*` = every other tool, or every tenant. Null = every tenant has every tool. */
export type ToolTenants = ReadonlyMap<string, readonly string[]> | null;

/** Parses `NAME` (tenant `default`), `acme:NAME` and `*:NAME`, and looks the names up in `env`. Unset variables are left out. */
export function tenantVars(text: string, env: Readonly<Record<string, string | undefined>>): TenantVars {
  const vars = new Map<string, Record<string, string>>();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const at = entry.indexOf(':');
    const tenant = at < 0 ? DEFAULT_TENANT : entry.slice(0, at);
    const name = entry.slice(at + 1);
    if (!VARIABLE_NAME.test(name) || name === '__proto__') throw new InvalidValue(`"${name}" is not a variable name`);
    checkTenant(tenant);
    const value = env[name];
    if (value === undefined) continue;
    const given = vars.get(tenant) ?? {};
    given[name] = value;
    vars.set(tenant, given);
  }
  return vars;
}

/** The variables with those of these names that are set, for tenant `default`. */
export function withGrant(
  vars: TenantVars,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): TenantVars {
  return new Map([
    ...vars,
    [DEFAULT_TENANT, { ...vars.get(DEFAULT_TENANT), ...tenantVars(names.join(' '), env).get(DEFAULT_TENANT) }],
  ]);
}

export function varsOf(vars: TenantVars, tenantId: string): Readonly<Record<string, string>> {
  return { ...vars.get(ALL), ...vars.get(tenantId) };
}

/** Parses tools with their tenants, such as `pay=default,acme;*=*`. */
export function toolTenants(text: string): ToolTenants {
  const tenants = new Map<string, readonly string[]>();
  for (const entry of text.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const [tool = '', list, ...rest] = entry.split('=').map((part) => part.trim());
    const named = (list ?? '').split(/[\s,]+/).filter((part) => part !== '');
    if (tool === '' || named.length === 0 || rest.length > 0)
      throw new InvalidValue(`"${entry}" is not TOOL=TENANT,TENANT; an example of the whole value: pay=default,acme;*=*`);
    if (tenants.has(tool)) throw new InvalidValue(`tool "${tool}" has two entries`);
    for (const tenant of named) checkTenant(tenant);
    tenants.set(tool, named);
  }
  return tenants;
}

/** The tools that a tenant may use. */
export function toolsOf(tools: Tools, tenants: ToolTenants, tenantId: string): Tools {
  if (tenants === null) return tools;
  return Object.fromEntries(Object.entries(tools).filter(([tool]) => isGranted(tool, tenants, tenantId)));
}

export function isGranted(tool: string, tenants: ToolTenants, tenantId: string): boolean {
  if (tenants === null) return true;
  const named = tenants.get(tool) ?? tenants.get(ALL) ?? [];
  return named.includes(ALL) || named.includes(tenantId);
}

/** Tools that are granted but do not exist. A misspelt name would leave the real tool under the `*` entry. */
export function missingTools(tools: Tools, tenants: ToolTenants): readonly string[] {
  return [...(tenants?.keys() ?? [])].filter((tool) => tool !== ALL && !Object.hasOwn(tools, tool));
}

function checkTenant(tenant: string): void {
  if (tenant !== ALL && !TENANT_ID.test(tenant)) throw new InvalidValue(`"${tenant}" is not a tenant id`);
}
