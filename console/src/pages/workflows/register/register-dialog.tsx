import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { Diagnostic } from '../../../../../src/api/schemas/errors.ts';
import { ApiError, type RegisteredWorkflow } from '../../../../../src/client/index.ts';
import { Button } from '../../../components/button.tsx';
import dialogStyles from '../../../components/dialog.module.css';
import { Dialog } from '../../../components/dialog.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Field } from '../../../components/field.tsx';
import { useNotices } from '../../../components/notices.tsx';
import { navigate } from '../../../routing/hash-location.ts';
import { useSession } from '../../../session/session.ts';
import { workflowPath } from '../paths.ts';
import { DiagnosticList } from './diagnostic-list.tsx';
import styles from './register.module.css';
import { registerSource } from './register-source.ts';

const MAX_FILE_BYTES = 8_000_000;

/** Registers a workflow from a file or from text: a workflow file in YAML, or a document in JSON. */
export function RegisterDialog({ onClose }: { readonly onClose: () => void }) {
  const { client } = useSession();
  const notices = useNotices();
  const [source, setSource] = useState('');
  const [fileProblem, setFileProblem] = useState<string | null>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const register = useMutation({
    mutationFn: () => registerSource(client, source),
    onSuccess: (registered) => {
      if (allOf(registered).every(({ warnings }) => warnings.length === 0)) open(registered);
    },
  });
  const open = ({ workflow_id, version }: RegisteredWorkflow): void => {
    onClose();
    notices.done('Registered.');
    navigate(workflowPath(workflow_id, { version }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (source.trim() !== '' && !register.isPending) register.mutate();
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (file.size > MAX_FILE_BYTES) return setFileProblem('The file is larger than 8 MB.');
    setFileProblem(null);
    register.reset();
    setSource(await file.text());
  };
  /** Selects the line of a problem in the text. */
  const goTo = (line: number): void => {
    const lines = source.split('\n');
    const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    text.current?.focus();
    text.current?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  };

  const { data, error } = register;
  if (data !== undefined)
    return (
      <Dialog title="Registered, with warnings" onClose={() => open(data)}>
        {allOf(data).map(({ workflow_id, version, revision, warnings }) => (
          <DiagnosticList
            key={revision}
            title={`${workflow_id} ${version}`}
            diagnostics={warnings as readonly Diagnostic[]}
            onGoTo={null}
          />
        ))}
        <div className={dialogStyles.actions}>
          <Button kind="primary" data-focus onClick={() => open(data)}>
            Open
          </Button>
        </div>
      </Dialog>
    );
  const diagnostics = diagnosticsOf(error);
  return (
    <Dialog title="Register a workflow" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="File" hint="A workflow file in YAML, or a document in JSON." error={fileProblem}>
          {(control) => (
            <input
              {...control}
              type="file"
              accept=".yaml,.yml,.json"
              onChange={({ target }) => void readFile(target.files?.[0])}
            />
          )}
        </Field>
        <Field label="Text">
          {(control) => (
            <textarea
              {...control}
              ref={text}
              className={styles.source}
              rows={14}
              spellCheck={false}
              wrap="off"
              value={source}
              onChange={({ target }) => setSource(target.value)}
            />
          )}
        </Field>
        {error !== null && diagnostics.length === 0 && <ErrorNotice error={error} />}
        {diagnostics.length > 0 && <DiagnosticList title="It was not registered" diagnostics={diagnostics} onGoTo={goTo} />}
        <div className={dialogStyles.actions}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={register.isPending || source.trim() === ''}>
            Register
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function allOf(registered: RegisteredWorkflow): readonly Omit<RegisteredWorkflow, 'workflows'>[] {
  return registered.workflows ?? [registered];
}

function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (!(error instanceof ApiError)) return [];
  const { diagnostics } = (error.body ?? {}) as { readonly diagnostics?: readonly Diagnostic[] };
  return diagnostics ?? [];
}
