import { Link } from 'wouter';
import type { AuditVerification } from '../../../../src/api/operations/audit.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Details } from '../../components/details.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Name } from '../../components/name.tsx';
import { Panel } from '../../components/panel.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { useVerification } from './use-verification.ts';

const REASONS = {
  missing_block: 'a block is missing',
  block_hash: 'the hash of the block is wrong',
  signature: 'the signature of the block is wrong',
  stream_digest: 'rows of the log were changed',
  unsealed_rows: 'there are rows that no block seals',
  snapshot: 'a stored snapshot was changed',
} as const;

/** What the verification has found, or that it is in progress. */
export function VerificationPanel({
  verification: { run, wasStopped },
}: {
  readonly verification: ReturnType<typeof useVerification>;
}) {
  if (run.isIdle) return null;
  return (
    <Panel title="Verification of the chain">
      <div role="status">
        {run.isPending && <p className="muted">The server compares the whole log with its chain of digests …</p>}
        {wasStopped && <p className="muted">Stopped.</p>}
        {run.data !== undefined && <Result result={run.data} />}
      </div>
      {run.error !== null && !wasStopped && <ErrorNotice error={run.error} onRetry={() => run.mutate()} />}
    </Panel>
  );
}

function Result({ result: { ok, blocks, head, fault, unsigned } }: { readonly result: AuditVerification }) {
  return (
    <Details
      items={[
        ['Result', <StatusBadge key="result" status={ok ? 'verified' : 'failed'} />],
        ['Sound blocks', blocks.toLocaleString()],
        [
          'Head',
          <span key="head">
            <code>{head}</code> <CopyButton text={() => head} what="head" />
          </span>,
        ],
        ['First fault', fault && `block ${fault.block}: ${REASONS[fault.reason]}`],
        ['Chain', fault?.chain === undefined ? null : <Name key="chain" text={fault.chain} />],
        ['Tenant of the fault', fault?.tenant_id ? <Name key="tenant" text={fault.tenant_id} /> : null],
        [
          'Execution of the fault',
          fault?.execution_id ? (
            <Link key="execution" href={`/executions/${fault.execution_id}`}>
              {fault.execution_id}
            </Link>
          ) : null,
        ],
        [
          'Without a signature',
          unsigned
            ? `${unsigned.blocks.toLocaleString()} blocks: ${unsigned.ranges.map(({ from, to }) => (from === to ? from : `${from}–${to}`)).join(', ')}`
            : null,
        ],
      ]}
    />
  );
}
