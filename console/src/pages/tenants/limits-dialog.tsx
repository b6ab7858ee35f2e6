import type { TenantDetail } from '../../../../src/client/index.ts';
import { Field } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { LIMITS } from './limits.ts';
import styles from './limits-dialog.module.css';

export function LimitsDialog({ tenant, onClose }: { readonly tenant: TenantDetail; readonly onClose: () => void }) {
  const { client } = useSession();
  const save = useAction(
    (values: FormData) => client.tenants.update(tenant.id, { limits: limitsOf(values) }),
    () => `The limits of ${tenant.id} are saved.`,
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title={`Limits of ${tenant.id}`}
      action="Save"
      isBusy={save.isPending}
      error={save.error}
      onSubmit={(values) => save.mutate(values, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p className="muted">
        Empty: unlimited. What a call may report is then 100 USD and 10,000,000 tokens; ended executions are kept as the server is
        configured.
      </p>
      <div className={styles.fields}>
        {LIMITS.map(({ name, label }) => (
          <Field key={name} label={label}>
            {(control) => (
              <input
                {...control}
                name={name}
                type="number"
                min={0}
                step={name.endsWith('_usd') ? 'any' : 1}
                defaultValue={tenant.limits?.[name]}
              />
            )}
          </Field>
        ))}
      </div>
    </FormDialog>
  );
}

/** Null = no limit at all. */
function limitsOf(values: FormData): Record<string, number> | null {
  const given = LIMITS.flatMap(({ name }): [string, number][] => {
    const text = textOf(values, name);
    return text === undefined ? [] : [[name, Number(text)]];
  });
  return given.length === 0 ? null : Object.fromEntries(given);
}
