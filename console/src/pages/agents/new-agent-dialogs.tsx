import { useState } from 'react';
import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import type { Agent, AgentCardInput } from '../../../../src/client/index.ts';
import type { EditedJson } from '../../components/edited-json.ts';
import { Field } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { JsonEditor } from '../../components/json-editor.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

interface Props {
  readonly onAdded: (agent: Agent) => void;
  readonly onClose: () => void;
}

/** The server fetches the card from the URL. */
export function DiscoverDialog({ onAdded, onClose }: Props) {
  const { client } = useSession();
  const discover = useAction(
    (url: string) => client.agents.discover(url),
    ({ name }) => `${name} is registered.`,
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="Discover an agent"
      action={discover.isPending ? 'Looking for its card …' : 'Discover'}
      isBusy={discover.isPending}
      error={discover.error}
      onSubmit={(values) => discover.mutate(textOf(values, 'url') ?? '', { onSuccess: onAdded })}
      onClose={onClose}
    >
      <Field label="URL" hint="Of the agent, or of its card. The server also looks under /.well-known/ there.">
        {(control) => <input {...control} name="url" type="url" required maxLength={2048} autoComplete="off" />}
      </Field>
    </FormDialog>
  );
}

const TEMPLATE = `{
  "id": "research-agent",
  "name": "Research Agent",
  "uri": "https://agents.example.com/research",
  "capabilities": { "skills": [{ "name": "research" }], "protocols": ["a2a"] }
}`;

export function RegisterDialog({ onAdded, onClose }: Props) {
  const { client } = useSession();
  const [edited, setEdited] = useState<EditedJson>({ problem: 'empty' });
  const register = useAction(
    (card: JsonObject) => client.agents.register(card as AgentCardInput),
    ({ name }) => `${name} is registered.`,
    { errors: 'inline' },
  );
  const card = 'value' in edited && isObject(edited.value) ? edited.value : null;
  return (
    <FormDialog
      title="Register an agent"
      action="Register"
      isBusy={register.isPending}
      error={register.error}
      isValid={card !== null}
      onSubmit={() => card !== null && register.mutate(card, { onSuccess: onAdded })}
      onClose={onClose}
    >
      <p className="muted">Its card, also one of A2A. The card of a known id is replaced; all fields are kept.</p>
      <JsonEditor label="Card" initialText={TEMPLATE} onChange={setEdited} check={problemsOf} />
      {'problem' in edited && <p role="alert">{edited.problem}</p>}
    </FormDialog>
  );
}

async function problemsOf(card: Json): Promise<readonly string[]> {
  if (!isObject(card)) return ['The card must be an object.'];
  return ['id', 'name'].flatMap((field) => (typeof card[field] === 'string' ? [] : [`"${field}" must be a text.`]));
}
