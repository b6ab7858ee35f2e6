import { Link } from 'wouter';
import type { AuditItem } from '../../../../src/client/index.ts';
import { Details } from '../../components/details.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Name } from '../../components/name.tsx';
import { Time } from '../../components/time.tsx';

/** Everything that is recorded of one entry. */
export function AuditEntryDialog({ item, onClose }: { readonly item: AuditItem; readonly onClose: () => void }) {
  const text = (value: string | undefined) => (value === undefined ? null : <Name text={value} maxChars={500} />);
  const { execution_id: executionId } = item;
  return (
    <Dialog title={item.event_type} onClose={onClose}>
      <Details
        items={[
          ['Time', <Time key="time" at={item.created_at} />],
          ['Actor', text(item.actor_id)],
          ['Kind of actor', item.actor_type],
          ['Role', text(item.actor_role)],
          ['Token', text(item.actor_token_id)],
          ['On behalf of (not verified)', text(item.on_behalf_of)],
          ['Execution', executionId && <Link href={`/executions/${executionId}?at=${item.sequence}`}>{executionId}</Link>],
          ['Sequence', item.sequence.toLocaleString()],
          ['Decision of the policy', text(item.policy_decision)],
          ['Hash of the tool call', text(item.tool_call_hash)],
          ['Request', item.http_method && item.http_path ? text(`${item.http_method} ${item.http_path}`) : null],
          ['Request id', text(item.http_request_id)],
          ['Address', text(item.ip_address)],
          ['Personal data', item.redacted ? 'replaced, as the data policy says' : null],
          ['Id', text(item.id)],
        ]}
      />
      <JsonView value={item.raw_event} label="Event" />
    </Dialog>
  );
}
