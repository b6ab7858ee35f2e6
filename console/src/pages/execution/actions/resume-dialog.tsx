import type { ResumeExecution } from '../../../../../src/client/index.ts';
import { Field } from '../../../components/field.tsx';
import { FormDialog, textOf } from '../../../components/form-dialog.tsx';
import { Name } from '../../../components/name.tsx';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './actions.module.css';
import { exceededBudget } from './exceeded-budget.ts';

/** Resumes; an execution that is paused over its budget needs new totals. */
export function ResumeDialog({ onClose }: { readonly onClose: () => void }) {
  const { id, execution, log } = useExecutionView();
  const { client } = useSession();
  const exceeded = exceededBudget(log.events);
  const resume = useAction(
    (budgets: ResumeExecution) => client.resume(id, budgets),
    () => 'Resumed.',
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="Resume the execution"
      action="Resume"
      isBusy={resume.isPending}
      error={resume.error}
      onSubmit={(values) => resume.mutate(budgetsOf(values), { onSuccess: onClose })}
      onClose={onClose}
    >
      <div className={styles.form}>
        {execution.held_reason !== undefined && (
          <p className={styles.hint}>
            It was paused: <Name text={execution.held_reason} maxChars={500} />
          </p>
        )}
        {exceeded !== null && (
          <>
            <p className={styles.warning}>{exceeded}. It needs new totals, greater than what it has used.</p>
            <fieldset className={styles.budgets}>
              <legend className="visually-hidden">New totals</legend>
              <Total name="total_tokens" label="Tokens" />
              <Total name="input_tokens" label="Input tokens" />
              <Total name="output_tokens" label="Output tokens" />
              <Total name="cost_budget_usd" label="Cost in USD" step="any" />
            </fieldset>
          </>
        )}
      </div>
    </FormDialog>
  );
}

function Total({ name, label, step = '1' }: { readonly name: string; readonly label: string; readonly step?: string }) {
  return (
    <Field label={label} hint="Empty = as before.">
      {(control) => <input {...control} name={name} type="number" min={0} step={step} inputMode="decimal" />}
    </Field>
  );
}

function budgetsOf(values: FormData): ResumeExecution {
  const number = (name: string): Record<string, number> => {
    const text = textOf(values, name);
    return text === undefined ? {} : { [name]: Number(text) };
  };
  const tokens = { ...number('total_tokens'), ...number('input_tokens'), ...number('output_tokens') };
  return { ...(Object.keys(tokens).length === 0 ? {} : { token_budget: tokens }), ...number('cost_budget_usd') };
}
