import type { Tools } from './runtime/types/work.ts';

/** What an operator gives to tenants, in the environment: variables that workflows may read, and in-process tools. */

/** Stands for every tenant, and for every tool that has no entry of its own. */
const ALL = '*';
/** The tenant of an entry that names none. */
const DEFAULT_TENANT = 'default';
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const VARIABLE_NAME = /^[A-Za-z_]\w*$/;

/** A value of an environment variable that cannot be read; the message continues `NAME: `. */
export class InvalidValue extends Error {}

/** Values by tenant; `*` = every tenant. */
export type TenantVars = ReadonlyMap<string, Readonly<Record<string, string>>>;
/** Tenants by tool; `*` = every other tool, or every tenant. Null = every tool is for every tenant. */
export type ToolTenants = ReadonlyMap<string, readonly string[]> | null;

/** `NAME` for tenant `default`, `acme:NAME`, `*:NAME`. Only names are given, so no secret ever shows by accident. Unset variables are left out. */
export function tenantVars(text: string, env: Readonly<Record<string, string | undefined>>): TenantVars {
  const vars = new Map<string, Record<string, string>>();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const at = entry.indexOf(':');
    const tenant = at < 0 ? DEFAULT_TENANT : entry.slice(0, at);
    const name = entry.slice(at + 1);
    if (!VARIABLE_NAME.test(name) || name === '__proto__') throw new InvalidValue(`"${name}" is not the name of a variable`);
    checkTenant(tenant);
    const value = env[name];
    if (value === undefined) continue;
    const given = vars.get(tenant) ?? {};
    given[name] = value;
    vars.set(tenant, given);
  }
  return vars;
}

export function varsOf(vars: TenantVars, tenantId: string): Readonly<Record<string, string>> {
  return { ...vars.get(ALL), ...vars.get(tenantId) };
}

/** `pay=default,acme;*=*`: tools with their tenants. */
export function toolTenants(text: string): ToolTenants {
  const tenants = new Map<string, readonly string[]>();
  for (const entry of text.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const [tool = '', list, ...rest] = entry.split('=').map((part) => part.trim());
    const named = (list ?? '').split(/[\s,]+/).filter((part) => part !== '');
    if (tool === '' || named.length === 0 || rest.length > 0)
      throw new InvalidValue(`"${entry}" is not TOOL=TENANT,TENANT; the whole is like pay=default,acme;*=*`);
    if (tenants.has(tool)) throw new InvalidValue(`tool "${tool}" has two entries`);
    for (const tenant of named) checkTenant(tenant);
    tenants.set(tool, named);
  }
  return tenants;
}

/** Those that a tenant has. */
export function toolsOf(tools: Tools, tenants: ToolTenants, tenantId: string): Tools {
  if (tenants === null) return tools;
  const isFor = (tool: string): boolean => {
    const named = tenants.get(tool) ?? tenants.get(ALL) ?? [];
    return named.includes(ALL) || named.includes(tenantId);
  };
  return Object.fromEntries(Object.entries(tools).filter(([tool]) => isFor(tool)));
}

/** Names of tools that are given to tenants, but are not there. A misspelt one would leave the right one to the entry for all others. */
export function missingTools(tools: Tools, tenants: ToolTenants): readonly string[] {
  return [...(tenants?.keys() ?? [])].filter((tool) => tool !== ALL && !Object.hasOwn(tools, tool));
}

function checkTenant(tenant: string): void {
  if (tenant !== ALL && !TENANT_ID.test(tenant)) throw new InvalidValue(`"${tenant}" is not the id of a tenant`);
}
