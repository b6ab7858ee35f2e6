import { useState } from 'react';
import { oneLine } from '../../../../../machines/views/text.ts';
import { Dialog } from '../../../components/dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Field } from '../../../components/field.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useFreshQuery } from '../../../live/use-fresh-query.ts';
import { useSession } from '../../../session/session.ts';
import { StartForm } from './start-form.tsx';

const MAX_WORKFLOWS = 1_000;

interface Props {
  /** Null = the person chooses one. */
  readonly workflowId: string | null;
  /** Default: the one registered last. */
  readonly version?: string | undefined;
  readonly onClose: () => void;
}

/** Starts an execution with an input, and goes to it. */
export function StartDialog({ workflowId, version, onClose }: Props) {
  const [chosen, setChosen] = useState(workflowId);
  return (
    <Dialog title={workflowId === null ? 'Start an execution' : `Start ${oneLine(workflowId, 80)}`} onClose={onClose}>
      {workflowId === null && <WorkflowChoice chosen={chosen} onChoose={setChosen} />}
      {chosen !== null && <Version key={chosen} workflowId={chosen} version={version} onClose={onClose} />}
    </Dialog>
  );
}

interface ChoiceProps {
  readonly chosen: string | null;
  readonly onChoose: (workflowId: string) => void;
}

function WorkflowChoice({ chosen, onChoose }: ChoiceProps) {
  const { client } = useSession();
  const { data, error, refetch } = useFreshQuery({
    queryKey: ['workflows', 'choice'],
    queryFn: ({ signal }) => client.workflows({ limit: MAX_WORKFLOWS }, { signal }),
  });
  if (data === undefined)
    return error === null ? <Loading what="workflows" /> : <ErrorNotice error={error} onRetry={() => void refetch()} />;
  if (data.workflows.length === 0) return <Empty title="No workflow is registered yet" />;
  return (
    <Field label="Workflow">
      {(control) => (
        <select {...control} value={chosen ?? ''} onChange={({ target }) => onChoose(target.value)}>
          {chosen === null && <option value="">Choose one</option>}
          {data.workflows.map(({ workflow_id }) => (
            <option key={workflow_id} value={workflow_id}>
              {oneLine(workflow_id, 80)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Version({ workflowId, version: first, onClose }: Props & { readonly workflowId: string }) {
  const { client } = useSession();
  const [version, setVersion] = useState(first);
  const { data, error, isPending, refetch } = useFreshQuery({
    queryKey: ['workflow', workflowId, version ?? null, null],
    queryFn: ({ signal }) => client.workflow(workflowId, version, { signal }),
  });
  return (
    <>
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {isPending && <Loading what="the workflow" />}
      {data !== undefined && (
        <>
          <Field label="Version" hint={`Revision ${data.revision.slice(0, 8)}`}>
            {(control) => (
              <select {...control} value={data.version} onChange={({ target }) => setVersion(target.value)}>
                {data.versions.map((each, at) => (
                  <option key={each.version} value={each.version}>
                    {oneLine(each.version, 60)}
                    {at === 0 ? ' (registered last)' : ''}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <StartForm key={data.revision} workflow={data} onClose={onClose} />
        </>
      )}
    </>
  );
}
