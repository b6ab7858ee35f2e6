import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { JsonObject } from '../../../../../machines/json.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { ForkExecution } from '../../../../../src/client/index.ts';
import { stateSchemas } from '../../../../../src/views/state-schema.ts';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { CheckField, Field, FieldRow } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useRequestKey } from '../../../components/request-key.ts';
import { type EditedState, StateEditor } from '../../../components/state/state-editor.tsx';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';
import { useSettled } from '../state/use-settled.ts';
import { ForkOutlook } from './fork-outlook.tsx';
import styles from './forks.module.css';

const CHECK_MS = 300;

interface Props {
  /** The sequence that is offered first. */
  readonly at: number;
  readonly onClose: () => void;
}

/** Forks the execution: from where, which version, with which state. What becomes of earlier decisions is asked of the server and shown before. */
export function ForkDialog({ at: first, onClose }: Props) {
  const { id, execution, document } = useExecutionView();
  const { client, can } = useSession();
  const [, navigate] = useLocation();
  const [at, setAt] = useState(first);
  const [version, setVersion] = useState('');
  const [keeps, setKeeps] = useState(false);
  const [edited, setEdited] = useState<EditedState>({ patch: {} });
  const requestKey = useRequestKey();

  const past = useQuery({
    queryKey: ['state', id, at],
    queryFn: ({ signal }) => client.history.state(id, at, { signal }),
  });
  const versions = useQuery({
    queryKey: ['revisions', execution.workflow_id],
    queryFn: ({ signal }) => client.revisions(execution.workflow_id, { limit: 100 }, { signal }),
  });
  const patch = 'patch' in edited ? edited.patch : null;
  // At another sequence, the edit goes on with the state there.
  const lastPatch = useRef<JsonObject>({});
  if (patch !== null) lastPatch.current = patch;
  const request: ForkExecution = {
    at_sequence: at,
    ...(patch === null || Object.keys(patch).length === 0 ? {} : { state_patch: patch }),
    ...(version === '' ? {} : { workflow_version: version }),
    ...(keeps ? { keep_decisions: true } : {}),
  };
  const settled = useSettled(JSON.stringify(request), CHECK_MS);
  const outlook = useQuery({
    queryKey: ['fork-check', id, settled],
    queryFn: ({ signal }) => client.history.checkFork(id, JSON.parse(settled) as ForkExecution, { signal }),
    placeholderData: keepPreviousData,
    enabled: patch !== null,
  });
  const isChecked = outlook.data !== undefined && !outlook.isPlaceholderData && settled === JSON.stringify(request);
  const changes = isChecked && outlook.data.decisions.some(({ would_change }) => would_change);
  const fork = useAction(
    (given: ForkExecution) => client.history.fork(id, given, { idempotencyKey: requestKey(given) }),
    ({ forked_from }) => `Forked at event ${forked_from.sequence}.`,
    { errors: 'inline' },
  );
  const names = [...new Set(versions.data?.revisions.map((each) => each.version) ?? [])];

  return (
    <FormDialog
      title="Fork the execution"
      action="Fork"
      isBusy={fork.isPending}
      error={fork.error}
      isValid={patch !== null && isChecked && outlook.error === null && outlook.data.fits && (!changes || keeps)}
      onSubmit={() => fork.mutate(request, { onSuccess: ({ execution_id }) => navigate(`/executions/${execution_id}`) })}
      onClose={onClose}
    >
      <div className={styles.form}>
        <p className={styles.hint}>A new execution continues from there, with a copy of the log up to that point.</p>
        <FieldRow label="Where from">
          <Field label="After event" hint={`1 to ${execution.sequence.toLocaleString()}`}>
            {(control) => (
              <input
                {...control}
                type="number"
                min={1}
                max={execution.sequence}
                value={at}
                onChange={({ target }) => setAt(Math.max(1, Math.trunc(Number(target.value))))}
              />
            )}
          </Field>
          <Field label="Version">
            {(control) => (
              <select {...control} value={version} onChange={({ target }) => setVersion(target.value)}>
                <option value="">{oneLine(execution.workflow_version, 60)} (the same content)</option>
                {names.map((each) => (
                  <option key={each} value={each}>
                    {oneLine(each, 60)} (as registered last)
                  </option>
                ))}
              </select>
            )}
          </Field>
        </FieldRow>
        {past.isPending && <Loading what="the state" />}
        {past.error !== null && <ErrorNotice error={past.error} onRetry={() => void past.refetch()} />}
        {past.data !== undefined && (
          <section aria-label="State of the fork">
            <h3>State of the fork</h3>
            <StateEditor
              key={past.data.sequence}
              state={past.data.state}
              schema={stateSchemas(document).state}
              onChange={setEdited}
              initialPatch={lastPatch.current}
            />
          </section>
        )}
        {outlook.error !== null && <ErrorNotice error={outlook.error} />}
        {outlook.data !== undefined && outlook.error === null && (
          <ForkOutlook outlook={outlook.data} isStale={!isChecked} onFork={setAt} />
        )}
        {changes && can('operator') && (
          <CheckField
            label="Keep the decisions although they were made on another state; this is recorded."
            checked={keeps}
            onChange={setKeeps}
          />
        )}
      </div>
    </FormDialog>
  );
}
