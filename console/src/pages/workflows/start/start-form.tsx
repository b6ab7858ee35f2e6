import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Json, JsonObject } from '../../../../../machines/json.ts';
import { isObject } from '../../../../../machines/json.ts';
import { ApiError, type WorkflowDetail } from '../../../../../src/client/index.ts';
import { type FieldTexts, fieldOfProblem, fieldTexts, formInput, inputFields } from '../../../../../src/views/input-form.ts';
import { documentSchema, stateSchemas } from '../../../../../src/views/state-schema.ts';
import { Button } from '../../../components/button.tsx';
import dialogStyles from '../../../components/dialog.module.css';
import type { EditedJson } from '../../../components/edited-json.ts';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Field } from '../../../components/field.tsx';
import { JsonEditor } from '../../../components/json-editor.tsx';
import { useSchemaCheck } from '../../../components/json-schema/schema-check.ts';
import { Name } from '../../../components/name.tsx';
import { useRequestKey } from '../../../components/request-key.ts';
import { Tabs } from '../../../components/tabs.tsx';
import { navigate } from '../../../routing/hash-location.ts';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { InputFields } from './input-fields.tsx';
import { readLabels } from './labels.ts';
import styles from './start.module.css';
import { useProblems } from './use-problems.ts';

interface Props {
  readonly workflow: WorkflowDetail;
  readonly onClose: () => void;
}

type Problems = Readonly<Record<string, string>>;
const NONE: Problems = {};

/** Input and labels of a new execution. The input is written in fields if the state schema names keys, or as JSON. */
export function StartForm({ workflow, onClose }: Props) {
  const { client } = useSession();
  const { ir, workflow_id, version } = workflow;
  const fields = useMemo(() => inputFields(documentSchema(ir)), [ir]);
  const isStrict = ir.strict_input === true;
  const check = useSchemaCheck(useMemo(() => stateSchemas(ir).input, [ir]));
  const [view, setView] = useState(fields.length > 0 ? 'form' : 'json');
  const [texts, setTexts] = useState<FieldTexts>(() => Object.fromEntries(fields.map(({ key, initial }) => [key, initial])));
  const [others, setOthers] = useState<JsonObject>({});
  const [edited, setEdited] = useState<EditedJson>({ value: {} });
  const [labels, setLabels] = useState('');
  const [subjectToken, setSubjectToken] = useState('');
  const [problems, setProblems] = useState<Problems>(NONE);
  const advice = useProblems(check, view === 'json' && 'value' in edited ? edited.value : undefined);
  const keyOf = useRequestKey();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('textarea, input, select')?.focus(), []);
  const start = useAction(
    (given: { readonly input: Json; readonly labels: Record<string, string> }) => {
      const secret = subjectToken === '' ? {} : { subject_token: subjectToken };
      const request = { workflow_id, workflow_version: version, ...given, ...secret };
      return client.start(request, { idempotencyKey: keyOf(request) });
    },
    () => 'Started.',
    { errors: 'inline' },
  );

  const show = (next: string): void => {
    setProblems(NONE);
    if (next === 'form') {
      if (!('value' in edited) || !isObject(edited.value)) {
        setProblems({ input: 'Write an object in JSON first.' });
        return;
      }
      const written = fieldTexts(fields, edited.value);
      setTexts(written.texts);
      setOthers(written.others);
    } else setEdited({ value: formInput(fields, texts, others).input });
    setView(next);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (start.isPending) return;
    const written = view === 'form' ? writtenInput() : edited;
    const named = readLabels(labels);
    if ('problem' in named) return setProblems({ labels: named.problem });
    if (!('value' in written)) return;
    // What cannot be checked here is checked by the server.
    const found = check === undefined ? [] : await check(written.value).catch(() => []);
    // Only a workflow with `strict_input` refuses what does not fit; JSON may say more than its form.
    if (found.length > 0 && (isStrict || view === 'form')) return setProblems(byField(found));
    setProblems(NONE);
    start.mutate(
      { input: written.value, labels: named.labels },
      {
        onSuccess: ({ execution_id }) => {
          onClose();
          navigate(`/executions/${execution_id}`);
        },
        onError: (error) => {
          if (error instanceof ApiError && error.code === 'invalid_input') setProblems(byField([problemOf(error.message)]));
        },
      },
    );
  };
  const writtenInput = (): { readonly value: Json } | { readonly pending: true } => {
    const { input, problems: found } = formInput(fields, texts, others);
    // What a state must have, a node may write: only a workflow with `strict_input` insists on it.
    const refused = Object.entries(found).filter(([name]) => isStrict || (texts[name] ?? '') !== '');
    if (refused.length === 0) return { value: input };
    setProblems(Object.fromEntries(refused));
    return { pending: true };
  };
  const byField = (found: readonly string[]): Problems =>
    Object.fromEntries(
      found.map((problem) => {
        const field = fieldOfProblem(fields, problem);
        return [field ?? 'input', field === null ? problem : problem.slice(field.length).trimStart()];
      }),
    );

  const editor = () => (
    <JsonEditor label="Input" initialText={JSON.stringify('value' in edited ? edited.value : {}, null, 2)} onChange={setEdited} />
  );
  return (
    <form ref={form} onSubmit={(event) => void submit(event)}>
      {fields.length === 0 ? (
        <>
          <h3>Input</h3>
          {editor()}
        </>
      ) : (
        <Tabs
          label="Input"
          selected={view}
          onSelect={show}
          tabs={[
            {
              id: 'form',
              label: 'Form',
              content: () => (
                <InputFields
                  fields={fields}
                  texts={texts}
                  problems={problems}
                  otherKeys={Object.keys(others)}
                  onChange={(name, text) => setTexts((before) => ({ ...before, [name]: text }))}
                />
              ),
            },
            { id: 'json', label: 'JSON', content: editor },
          ]}
        />
      )}
      {'problem' in edited && view === 'json' && <p role="alert">{edited.problem}</p>}
      {advice.length > 0 && (
        <ul className={styles.advice} aria-label="Problems of the input">
          {advice.map((problem) => (
            <li key={problem}>
              <Name text={problem} maxChars={400} />
            </li>
          ))}
        </ul>
      )}
      {problems.input !== undefined && advice.length === 0 && <p role="alert">{problems.input}</p>}
      {isObject(ir.oauth) && (
        <Field label="Subject token" hint="Token of the person on whose behalf the execution acts. It is not part of the input.">
          {(control) => (
            <input
              {...control}
              type="password"
              autoComplete="off"
              value={subjectToken}
              onChange={({ target }) => setSubjectToken(target.value.trim())}
            />
          )}
        </Field>
      )}
      <Field
        label="Labels"
        hint="To find the execution by: key:value, separated by commas. Empty = none."
        error={problems.labels ?? null}
      >
        {(control) => <input {...control} value={labels} spellCheck={false} onChange={({ target }) => setLabels(target.value)} />}
      </Field>
      {start.error !== null && <ErrorNotice error={start.error} />}
      <div className={dialogStyles.actions}>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" disabled={start.isPending || (view === 'json' && !('value' in edited))}>
          Start
        </Button>
      </div>
    </form>
  );
}

/** `the input does not fit the state schema of refund: amount must be >= 0` */
function problemOf(message: string): string {
  return message.slice(message.indexOf(': ', message.indexOf('does not fit')) + 2);
}
