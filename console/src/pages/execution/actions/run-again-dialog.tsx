import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { Json } from '../../../../../machines/json.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import { stateSchemas } from '../../../../../src/views/state-schema.ts';
import type { EditedJson } from '../../../components/edited-json.ts';
import { Field } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { JsonEditor } from '../../../components/json-editor.tsx';
import { useSchemaCheck } from '../../../components/json-schema/schema-check.ts';
import { Name } from '../../../components/name.tsx';
import { useRequestKey } from '../../../components/request-key.ts';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './actions.module.css';

const RESERVED = 'jamjet.';

/** Starts a new execution with the same or an edited input; labels are copied. */
export function RunAgainDialog({ onClose }: { readonly onClose: () => void }) {
  const { execution } = useExecutionView();
  const { workflow_id, workflow_version, revision, input, labels: all } = execution;
  const { client } = useSession();
  const [, navigate] = useLocation();
  const [version, setVersion] = useState(workflow_version);
  const [edited, setEdited] = useState<EditedJson>({ value: input });
  const requestKey = useRequestKey();
  const text = useMemo(() => JSON.stringify(input, null, 2), [input]);
  const labels = useMemo(() => Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith(RESERVED))), [all]);

  const versions = useQuery({
    queryKey: ['revisions', workflow_id],
    queryFn: ({ signal }) => client.revisions(workflow_id, { limit: 100 }, { signal }),
  });
  const workflow = useQuery({
    queryKey: ['workflow', workflow_id, version],
    queryFn: ({ signal }) => client.workflow(workflow_id, version, { signal }),
  });
  const schema = useMemo(() => (workflow.data === undefined ? null : stateSchemas(workflow.data.ir).input), [workflow.data]);
  const check = useSchemaCheck(schema);

  const start = useAction(
    (value: Json) => {
      const request = { workflow_id, workflow_version: version, input: value, labels };
      return client.start(request, { idempotencyKey: requestKey(request) });
    },
    () => 'Started.',
    { errors: 'inline' },
  );
  const names = [...new Set([workflow_version, ...(versions.data?.revisions.map((each) => each.version) ?? [])])];
  return (
    <FormDialog
      title="Run again"
      action="Start"
      isBusy={start.isPending}
      error={start.error ?? workflow.error}
      isValid={'value' in edited && workflow.data !== undefined}
      onSubmit={() => {
        if (!('value' in edited)) return;
        start.mutate(edited.value, {
          onSuccess: ({ execution_id }) => {
            onClose();
            navigate(`/executions/${execution_id}`);
          },
        });
      }}
      onClose={onClose}
    >
      <div className={styles.form}>
        <Field label="Version">
          {(control) => (
            <select {...control} value={version} onChange={({ target }) => setVersion(target.value)}>
              {names.map((each) => (
                <option key={each} value={each}>
                  {oneLine(each, 60)}
                  {each === workflow_version ? ' (as before)' : ''}
                </option>
              ))}
            </select>
          )}
        </Field>
        {version === workflow_version && workflow.data !== undefined && workflow.data.revision !== revision && (
          <p className={styles.warning}>
            This version has been registered again since: the new execution runs its newer content.
          </p>
        )}
        <div>
          <h3>Input</h3>
          <JsonEditor key={version} label="Input" initialText={text} onChange={setEdited} check={check} />
          {'problem' in edited && <p role="alert">{edited.problem}</p>}
        </div>
        {Object.keys(labels).length > 0 && (
          <p className={styles.hint}>
            Labels:{' '}
            <Name
              text={Object.entries(labels)
                .map(([key, value]) => `${key}: ${value}`)
                .join(', ')}
            />
          </p>
        )}
      </div>
    </FormDialog>
  );
}
