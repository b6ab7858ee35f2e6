import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { Name } from '../../components/name.tsx';
import type { ParameterChange } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import styles from './executions.module.css';

/** Names that the fields suggest. */
const MAX_SUGGESTED = 200;
const HOUR_MS = 3_600_000;
const PERIODS = [
  ['last hour', HOUR_MS],
  ['last 24 hours', 24 * HOUR_MS],
  ['last 7 days', 7 * 24 * HOUR_MS],
] as const;

interface Props {
  readonly parameters: URLSearchParams;
  readonly onChange: (change: ParameterChange) => void;
}

const SHOWN = [
  ['workflow_id', 'Workflow'],
  ['workflow_version', 'Version'],
  ['created_after', 'Started from'],
  ['created_before', 'Started before'],
  ['parent_execution_id', 'Child of'],
  ['error', 'Error'],
  ['id', 'Id with'],
] as const;

/** The conditions of the list, each of which can be taken away. */
export function ActiveFilters({ parameters, onChange }: Props) {
  const labels = parameters.getAll('label');
  const shown = SHOWN.map(([name, label]) => ({ name, label, value: parameters.get(name) ?? '' })).filter(
    ({ value }) => value !== '',
  );
  if (shown.length + labels.length === 0) return null;
  return (
    <ul className={styles.filters} aria-label="Filters">
      {shown.map(({ name, label, value }) => (
        <Filter key={name} label={label} value={textFor(name, value)} onRemove={() => onChange(removalOf(name))} />
      ))}
      {labels.map((each) => (
        <Filter
          key={each}
          label="Label"
          value={each}
          onRemove={() => onChange({ label: labels.filter((other) => other !== each) })}
        />
      ))}
    </ul>
  );
}

/** A version means nothing without its workflow. */
function removalOf(name: (typeof SHOWN)[number][0]): ParameterChange {
  return name === 'workflow_id' ? { workflow_id: undefined, workflow_version: undefined } : { [name]: undefined };
}

function textFor(name: string, value: string): string {
  if (!name.startsWith('created_')) return value;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? value : at.toLocaleString();
}

function Filter({ label, value, onRemove }: { readonly label: string; readonly value: string; readonly onRemove: () => void }) {
  return (
    <li className={styles.filter}>
      <span>{label}</span> <Name text={value.slice(0, 500)} maxChars={60} />
      <Button kind="quiet" aria-label={`Remove the filter ${label}`} onClick={onRemove}>
        ✕
      </Button>
    </li>
  );
}

/** All conditions of the API in one dialog. */
export function FilterDialog({ parameters, onChange, onClose }: Props & { readonly onClose: () => void }) {
  const { client } = useSession();
  const workflows = useQuery({
    queryKey: ['workflow-names'],
    queryFn: ({ signal }) => client.workflows({ limit: MAX_SUGGESTED }, { signal }),
  });
  const listId = useId();
  const value = (name: string): string => parameters.get(name) ?? '';
  const submit = (values: FormData): void => {
    const workflow = textOf(values, 'workflow_id');
    const labels = (textOf(values, 'label') ?? '').split('\n').map((line) => line.trim().replace(/^([^:=]+)=/u, '$1:'));
    onChange({
      workflow_id: workflow,
      workflow_version: workflow === undefined ? undefined : textOf(values, 'workflow_version'),
      label: labels.filter((label) => label !== ''),
      created_after: timeOf(values, 'created_after'),
      created_before: timeOf(values, 'created_before'),
      parent_execution_id: textOf(values, 'parent_execution_id'),
      error: textOf(values, 'error'),
      id: undefined,
    });
    onClose();
  };
  return (
    <FormDialog title="Filter executions" action="Filter" isBusy={false} error={null} onSubmit={submit} onClose={onClose}>
      <div className={styles.fields}>
        <Field label="Workflow">
          {(control) => <input {...control} name="workflow_id" list={listId} defaultValue={value('workflow_id')} />}
        </Field>
        <datalist id={listId}>
          {workflows.data?.workflows.map(({ workflow_id }) => (
            <option key={workflow_id} value={workflow_id} />
          ))}
        </datalist>
        <Field label="Version" hint="Of this workflow.">
          {(control) => <input {...control} name="workflow_version" defaultValue={value('workflow_version')} />}
        </Field>
        <Field label="Started from">
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              name="created_after"
              step={1}
              defaultValue={localTime(value('created_after'))}
            />
          )}
        </Field>
        <Field label="Started before">
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              name="created_before"
              step={1}
              defaultValue={localTime(value('created_before'))}
            />
          )}
        </Field>
      </div>
      <div className={styles.periods}>
        {PERIODS.map(([label, ms]) => (
          <Button
            key={label}
            onClick={() => {
              onChange({ created_after: new Date(Date.now() - ms).toISOString(), created_before: undefined, id: undefined });
              onClose();
            }}
          >
            The {label}
          </Button>
        ))}
      </div>
      <Field label="Labels" hint="key=value, or key for any value; one on each line. All must match.">
        {(control) => <textarea {...control} name="label" rows={2} defaultValue={parameters.getAll('label').join('\n')} />}
      </Field>
      <Field label="Parent execution">
        {(control) => <input {...control} name="parent_execution_id" defaultValue={value('parent_execution_id')} />}
      </Field>
      <Field label="Error" hint="Numbers, ids and quoted texts may differ.">
        {(control) => <input {...control} name="error" maxLength={4_096} defaultValue={value('error')} />}
      </Field>
    </FormDialog>
  );
}

/** The local time of a control, in RFC 3339. */
function timeOf(values: FormData, name: string): string | undefined {
  const text = textOf(values, name);
  return text === undefined ? undefined : new Date(text).toISOString();
}

function localTime(value: string): string {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
