import { useState } from 'react';
import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import { DiscoverAgent } from '../../../../src/api/operations/agents.ts';
import type { Agent, AgentCardInput } from '../../../../src/client/index.ts';
import type { EditedJson } from '../../components/edited-json.ts';
import { FormDialog } from '../../components/form-dialog.tsx';
import { JsonEditor } from '../../components/json-editor.tsx';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { navigate } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

interface Props {
  readonly onClose: () => void;
}

const show = ({ uuid }: Agent): void => navigate(`/agents/${uuid}`);

/** The server fetches the card from the URL. */
export function DiscoverDialog({ onClose }: Props) {
  const { client } = useSession();
  return (
    <SchemaDialog
      title="Discover an agent"
      action="Discover"
      busy="Looking for its card …"
      schema={DiscoverAgent}
      fields={() => ({ url: { label: 'URL', type: 'url', hint: URL_HINT } })}
      run={({ url }) => client.agents.discover(url)}
      done={({ name }) => `${name} is registered.`}
      onDone={show}
      onClose={onClose}
    />
  );
}

const URL_HINT = 'Of the agent, or of its card. The server also looks under /.well-known/ there.';

const TEMPLATE = `{
  "id": "research-agent",
  "name": "Research Agent",
  "uri": "https://agents.example.com/research",
  "capabilities": { "skills": [{ "name": "research" }], "protocols": ["a2a"] }
}`;

export function RegisterDialog({ onClose }: Props) {
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
      onSubmit={() => card !== null && register.mutate(card, { onSuccess: show })}
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
