import { useRef, useState } from 'react';
import type { Decision } from '../../components/decision/asked.ts';
import { DecisionDialog } from '../../components/decision/decision-dialog.tsx';
import { meanwhile } from '../../components/decision/late-decision.ts';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { navigate, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { ApprovalDetail } from './approval-detail.tsx';
import styles from './approvals.module.css';
import { InboxList } from './inbox-list.tsx';
import { useInbox } from './use-inbox.ts';
import { useInboxKeys } from './use-inbox-keys.ts';

/** What awaits a decision, beside what the selected one is about. */
export function PendingInbox({ workflow }: { readonly workflow: string | undefined }) {
  const { can, caller } = useSession();
  const { rows, error, readAgain, readMore, decided } = useInbox(workflow);
  const [parameters, setParameters] = useParameters();
  const [deciding, setDeciding] = useState<{ readonly key: string; readonly decision: Decision } | null>(null);
  const list = useRef<HTMLDivElement>(null);

  const chosen = parameters.get('selected');
  const index = Math.max(0, rows?.findIndex(({ key }) => key === chosen) ?? 0);
  const row = rows?.[index];
  const select = (key: string | undefined): void => setParameters({ selected: key });
  const move = (by: number): void => {
    if (rows === null || rows.length === 0) return;
    select(rows[Math.min(rows.length - 1, Math.max(0, index + by))]?.key);
  };
  const decide = (decision: Decision): void => {
    if (row !== undefined && row.outcome === null && can('write')) setDeciding({ key: row.key, decision });
  };
  /** The next one that waits, so that decisions can follow one another. */
  const goOn = (): void => {
    const next = rows?.slice(index + 1).find(({ outcome }) => outcome === null);
    if (next !== undefined) select(next.key);
    list.current?.focus();
  };
  useInboxKeys({
    list,
    onMove: move,
    onApprove: () => decide('approved'),
    onReject: () => decide('rejected'),
    onOpen: () => {
      if (row !== undefined) navigate(`/executions/${row.item.execution_id}?node=${encodeURIComponent(row.item.node_id)}`);
    },
  });

  if (rows === null) return error === null ? <Loading what="approvals" /> : <ErrorNotice error={error} onRetry={readAgain} />;
  const asked = deciding === null ? undefined : rows.find(({ key }) => key === deciding.key);
  return (
    <>
      {error !== null && <ErrorNotice error={error} onRetry={readAgain} />}
      {row === undefined ? (
        <Empty title="Nothing awaits a decision">
          <p>Executions that ask a person, and tool calls that a policy holds, appear here as they come.</p>
        </Empty>
      ) : (
        <div className={styles.inbox} data-chosen={chosen !== null}>
          <div className={styles.side}>
            <InboxList listRef={list} rows={rows} index={index} onSelect={select} onNearEnd={readMore} />
            <p className={styles.keys}>
              <kbd>j</kbd> <kbd>k</kbd> move{' '}
              {can('write') && (
                <>
                  · <kbd>a</kbd> approve · <kbd>r</kbd> reject{' '}
                </>
              )}
              · <kbd>Enter</kbd> opens the execution
            </p>
          </div>
          <ApprovalDetail
            key={row.key}
            row={row}
            onApprove={() => decide('approved')}
            onReject={() => decide('rejected')}
            onBack={() => select(undefined)}
          />
        </div>
      )}
      {deciding !== null && asked !== undefined && (
        <DecisionDialog
          key={`${deciding.key} ${deciding.decision}`}
          asked={asked.item}
          decision={deciding.decision}
          ended={asked.outcome === null ? null : meanwhile(asked.outcome.status, asked.outcome.by)}
          onDecided={(status) => {
            decided(deciding.key, { status, by: caller.name });
            goOn();
          }}
          onClose={() => setDeciding(null)}
        />
      )}
    </>
  );
}
