import type { Token } from '../../../../src/api/operations/tokens.ts';
import { CheckField } from '../../components/field.tsx';
import { Name } from '../../components/name.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { NewTokenDialog } from './new-token-dialog.tsx';
import styles from './tokens-page.module.css';

export function TokensPage() {
  const { client } = useSession();
  const [parameters, change] = useParameters();
  const list = useFreshQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => client.tokens({ signal }) });
  useRefetchAt(
    list,
    list.data?.tokens.filter(isValid).map(({ expires_at }) => expires_at),
  );
  const showsEnded = parameters.get('ended') === 'true';
  return (
    <ResourcePage
      title="Tokens"
      actions={
        <DialogButton label="New token" kind="primary">
          {(close) => <NewTokenDialog onClose={close} />}
        </DialogButton>
      }
      query={list}
      rows={({ tokens }) => tokens.filter((token) => showsEnded || isValid(token)).reverse()}
      rowKey={({ id }) => id}
      columns={COLUMNS}
      isMuted={(token) => !isValid(token)}
      empty={null}
      summary={({ tokens }) => (
        <div className={styles.bar}>
          <span>
            {tokens.filter(isValid).length.toLocaleString()} of {tokens.length.toLocaleString()} tokens of this tenant are valid.
          </span>
          <CheckField
            label="Show revoked and expired ones"
            checked={showsEnded}
            onChange={(checked) => change({ ended: checked ? 'true' : undefined })}
          />
        </div>
      )}
    />
  );
}

function stateOf({ revoked_at, expires_at }: Token): 'active' | 'revoked' | 'expired' {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= Date.now() ? 'expired' : 'active';
}

const isValid = (token: Token): boolean => stateOf(token) === 'active';

const COLUMNS: readonly Column<Token>[] = [
  { header: 'Name', cell: (token) => <TokenName token={token} /> },
  { header: 'Role', isShort: true, cell: (token) => <Rights token={token} /> },
  { header: 'State', cell: (token) => <State token={token} /> },
  { header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  { header: 'Expires', cell: ({ expires_at }) => <Time at={expires_at} otherwise="never" /> },
  { header: 'Id', cell: ({ id }) => <code>{id}</code> },
  { header: 'Actions', isActions: true, cell: (token) => <Revoke token={token} /> },
];

function TokenName({ token: { id, name, parent_id } }: { readonly token: Token }) {
  const { caller } = useSession();
  return (
    <>
      <Name text={name} maxChars={80} />
      {id === caller.token_id && <p className="muted">this session</p>}
      {parent_id !== null && <p className="muted">made by {parent_id}</p>}
    </>
  );
}

function Rights({ token: { role, queues } }: { readonly token: Token }) {
  return (
    <>
      {role}
      {queues !== null && (
        <p className="muted">
          only <Name text={queues.join(', ')} maxChars={80} />
        </p>
      )}
    </>
  );
}

function State({ token }: { readonly token: Token }) {
  return (
    <>
      <StatusBadge status={stateOf(token)} />
      {token.revoked_at !== null && (
        <p className="muted">
          <Time at={token.revoked_at} />
        </p>
      )}
    </>
  );
}

function Revoke({ token }: { readonly token: Token }) {
  const { client, caller } = useSession();
  if (token.revoked_at !== null) return null;
  const name = <Name text={token.name} maxChars={60} />;
  const isOwn = token.id === caller.token_id;
  return (
    <ActionButton
      label="Revoke"
      accessibleLabel={`Revoke ${token.name}`}
      run={() => client.revokeToken(token.id)}
      done={() => <>{name} is revoked.</>}
      question={isOwn ? 'Revoke your own token?' : 'Revoke the token?'}
    >
      <p>
        {name} is refused from now on, and so are the tokens of its sign-in links and those that they made. This cannot be undone.
      </p>
      {isOwn && (
        <p role="alert">You are signed in with this token: this session ends, and you need another token to sign in again.</p>
      )}
    </ActionButton>
  );
}
