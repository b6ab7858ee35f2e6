import { lazy, Suspense, useId, useState } from 'react';
import type { Json } from '../../../../machines/json.ts';
import type { CronJob } from '../../../../src/client/index.ts';
import type { EditedJson } from '../../components/edited-json.ts';
import { CheckField, Field, FieldRow } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { JsonEditor } from '../../components/json-editor.tsx';
import { Name } from '../../components/name.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

const NextRuns = lazy(async () => ({ default: (await import('./next-runs.tsx')).NextRuns }));

const MAX_SUGGESTED = 1_000;

interface Props {
  /** The job that is replaced; null = a new one. */
  readonly job: CronJob | null;
  readonly onClose: () => void;
}

/** Creates a cron job, or replaces one. */
export function CronJobDialog({ job, onClose }: Props) {
  const { client } = useSession();
  const [schedule, setSchedule] = useState({ expression: job?.cron_expression ?? '', timezone: job?.timezone ?? 'UTC' });
  const [input, setInput] = useState<EditedJson>({ value: job?.input ?? {} });
  const save = useAction(
    (values: FormData) =>
      client.cron.put({
        name: job?.name ?? textOf(values, 'name') ?? '',
        cron_expression: schedule.expression.trim(),
        timezone: schedule.timezone.trim() === '' ? 'UTC' : schedule.timezone.trim(),
        workflow_id: textOf(values, 'workflow') ?? '',
        workflow_version: textOf(values, 'version') ?? null,
        input: 'value' in input ? input.value : {},
        missed: values.get('missed') === 'catch_up' ? 'catch_up' : 'skip',
        overlap: OVERLAPS.find((each) => each === values.get('overlap')) ?? 'allow',
        enabled: values.get('enabled') !== null,
      }),
    ({ name }) => (
      <>
        <Name text={name} maxChars={60} /> is saved.
      </>
    ),
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title={job === null ? 'New cron job' : 'Edit the cron job'}
      action={job === null ? 'Create' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
      isValid={'value' in input}
      onSubmit={(values) => save.mutate(values, { onSuccess: onClose })}
      onClose={onClose}
    >
      {job === null ? (
        <Field label="Name" hint="A job of the same name is replaced.">
          {(control) => <input {...control} name="name" required maxLength={256} autoComplete="off" />}
        </Field>
      ) : (
        <p>
          <Name text={job.name} /> is replaced: what is known of its last run is forgotten.
        </p>
      )}
      <FieldRow label="Schedule">
        <Field label="Expression" hint="Minute, hour, day of month, month, day of week.">
          {(control) => (
            <input
              {...control}
              required
              maxLength={256}
              placeholder="30 2 * * *"
              autoComplete="off"
              spellCheck={false}
              value={schedule.expression}
              onChange={(event) => setSchedule({ ...schedule, expression: event.target.value })}
            />
          )}
        </Field>
        <TimeZoneField value={schedule.timezone} onChange={(timezone) => setSchedule({ ...schedule, timezone })} />
      </FieldRow>
      <Suspense>
        <NextRuns {...schedule} />
      </Suspense>
      <FieldRow label="Workflow">
        <WorkflowField job={job} />
        <Field label="Version" hint="Empty: the latest at the time of the run.">
          {(control) => <input {...control} name="version" defaultValue={job?.workflow_version ?? ''} autoComplete="off" />}
        </Field>
      </FieldRow>
      <InputField initial={job?.input ?? {}} edited={input} onChange={setInput} />
      <FieldRow label="Rules">
        <Field label="Missed runs" hint="Times that passed while no server was running.">
          {(control) => (
            <select {...control} name="missed" defaultValue={job?.missed ?? 'skip'}>
              <option value="skip">Skip</option>
              <option value="catch_up">Catch up</option>
            </select>
          )}
        </Field>
        <Field label="Overlap" hint="When the previous execution has not ended.">
          {(control) => (
            <select {...control} name="overlap" defaultValue={job?.overlap ?? 'allow'}>
              <option value="allow">Start another</option>
              <option value="skip">Skip this time</option>
              <option value="cancel_running">Cancel it first</option>
            </select>
          )}
        </Field>
      </FieldRow>
      <CheckField label="Enabled" name="enabled" defaultChecked={job?.enabled ?? true} />
    </FormDialog>
  );
}

const OVERLAPS = ['allow', 'skip', 'cancel_running'] as const;

function TimeZoneField({ value, onChange }: { readonly value: string; readonly onChange: (zone: string) => void }) {
  const id = useId();
  return (
    <Field label="Time zone" hint="An IANA name such as Europe/Berlin.">
      {(control) => (
        <>
          <input
            {...control}
            list={id}
            value={value}
            placeholder="UTC"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={id}>
            {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function WorkflowField({ job }: { readonly job: CronJob | null }) {
  const { client } = useSession();
  const id = useId();
  const known = useFreshQuery({
    queryKey: ['workflows', 'ids'],
    queryFn: ({ signal }) => client.workflows({ limit: MAX_SUGGESTED }, { signal }),
  });
  const ids = [...new Set(known.data?.workflows.map((each) => each.workflow_id))];
  return (
    <Field label="Workflow">
      {(control) => (
        <>
          <input {...control} name="workflow" list={id} required defaultValue={job?.workflow_id} autoComplete="off" />
          <datalist id={id}>
            {ids.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function InputField({
  initial,
  edited,
  onChange,
}: {
  readonly initial: Json;
  readonly edited: EditedJson;
  readonly onChange: (edited: EditedJson) => void;
}) {
  return (
    <Field label="Input" hint="Input of every execution." error={'problem' in edited ? edited.problem : null}>
      {() => <JsonEditor label="Input" initialText={JSON.stringify(initial, null, 2)} onChange={onChange} />}
    </Field>
  );
}
