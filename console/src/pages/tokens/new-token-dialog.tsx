import { useId, useState } from 'react';
import type { CreatedToken } from '../../../../src/api/operations/tokens.ts';
import { Field, FieldRow } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

const ROLES = {
  viewer: 'reads everything of the tenant',
  reviewer: 'reads everything of the tenant',
  developer: 'also starts and changes executions',
  operator: 'also manages tokens, tenants and the audit chain',
  worker: 'claims work and reports its outcome, and nothing else',
} as const;
type RoleName = keyof typeof ROLES;

const LIFETIMES = { '': 'Never', '1h': 'In an hour', '12h': 'In 12 hours', '30d': 'In 30 days', '90d': 'In 90 days', at: 'At …' };

interface Props {
  readonly onCreated: (token: CreatedToken) => void;
  readonly onClose: () => void;
}

export function NewTokenDialog({ onCreated, onClose }: Props) {
  const { client, caller, isOfLink } = useSession();
  const [role, setRole] = useState<RoleName>('developer');
  const [lifetime, setLifetime] = useState('30d');
  const create = useAction(
    (values: FormData) =>
      client.createToken({
        role,
        name: textOf(values, 'name') ?? null,
        tenant_id: textOf(values, 'tenant') ?? null,
        ...(role === 'worker' ? { queues: queuesOf(textOf(values, 'queues')) } : {}),
        ...(lifetime === 'at' ? { expires_at: localTime(textOf(values, 'at')) } : {}),
        ...(lifetime === '' || lifetime === 'at' ? {} : { expires_in: lifetime }),
      }),
    ({ name, tenant_id: tenant }) => (tenant === caller.tenant_id ? `${name} is created.` : `${name} is created for ${tenant}.`),
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="New token"
      action="Create"
      isBusy={create.isPending}
      error={create.error}
      onSubmit={(values) => create.mutate(values, { onSuccess: onCreated })}
      onClose={onClose}
    >
      <Field label="Name" hint="The actor in events, approvals and the audit log. Empty: made of the role and the id.">
        {(control) => <input {...control} name="name" maxLength={256} autoComplete="off" />}
      </Field>
      <FieldRow label="Rights and lifetime">
        <Field label="Role" hint={`It ${ROLES[role]}.`}>
          {(control) => (
            <select {...control} value={role} onChange={(event) => setRole(event.target.value as RoleName)}>
              {Object.keys(ROLES).map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Expires" hint={isOfLink ? 'With your session at the latest: you signed in by a link.' : undefined}>
          {(control) => (
            <select {...control} value={lifetime} onChange={(event) => setLifetime(event.target.value)}>
              {Object.entries(LIFETIMES).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        {lifetime === 'at' && (
          <Field label="Expires at" hint="Your local time.">
            {(control) => <input {...control} name="at" type="datetime-local" required />}
          </Field>
        )}
      </FieldRow>
      {role === 'worker' && (
        <Field label="Queues" hint="The only ones whose work it may do, separated by commas. Empty: all.">
          {(control) => <input {...control} name="queues" autoComplete="off" />}
        </Field>
      )}
      {caller.tenant_id === 'default' && <TenantField />}
    </FormDialog>
  );
}

/** Null = all. */
function queuesOf(text: string | undefined): string[] | null {
  const names = (text ?? '').split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  return given.length === 0 ? null : given;
}

/** RFC 3339 of the value of a `datetime-local` field. */
function localTime(value: string | undefined): string | null {
  return value === undefined ? null : new Date(value).toISOString();
}

function TenantField() {
  const { client } = useSession();
  const id = useId();
  const tenants = useFreshQuery({ queryKey: ['tenants'], queryFn: ({ signal }) => client.tenants.list({}, { signal }) });
  return (
    <Field label="Tenant" hint="Empty: your own. A token of another tenant is listed there, not here.">
      {(control) => (
        <>
          <input {...control} name="tenant" list={id} autoComplete="off" />
          <datalist id={id}>
            {tenants.data?.tenants.map((tenant) => (
              <option key={tenant.id} value={tenant.id}>
                {tenant.name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
