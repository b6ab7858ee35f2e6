import { Link } from 'wouter';
import type { Agent } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { FieldRow } from '../../components/field.tsx';
import { Name, Names } from '../../components/name.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { ChoiceFilter, TextFilter } from '../../components/resource/filters.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { DiscoverDialog, RegisterDialog } from './new-agent-dialogs.tsx';
import { STALE_MS, staleTimes } from './stale-at.ts';

const STATUSES = ['registered', 'active', 'paused', 'deactivated', 'archived'] as const;
const PROTOCOLS = ['a2a', 'mcp', 'anp'] as const;
const PAGE = 100;

export function AgentsPage() {
  const { client, can } = useSession();
  const [parameters, change] = useParameters();
  const status = STATUSES.find((each) => each === parameters.get('status'));
  const protocol = PROTOCOLS.find((each) => each === parameters.get('protocol'));
  const skill = parameters.get('skill') ?? undefined;
  const offset = Math.max(0, Math.trunc(Number(parameters.get('offset') ?? 0)) || 0);
  const query = { ...(status && { status }), ...(protocol && { protocol }), ...(skill && { skill }), limit: PAGE, offset };
  const list = useFreshQuery({
    queryKey: ['agents', query],
    queryFn: ({ signal }) => client.agents.list(query, { signal }),
    keepsPrevious: true,
  });
  useRefetchAt(list, staleTimes(list.data?.agents), STALE_MS);
  const isFiltered = status !== undefined || protocol !== undefined || skill !== undefined;
  return (
    <ResourcePage
      title="Agents"
      actions={
        can('write') && (
          <>
            <DialogButton label="Register a card">{(close) => <RegisterDialog onClose={close} />}</DialogButton>
            <DialogButton label="Discover by URL" kind="primary">
              {(close) => <DiscoverDialog onClose={close} />}
            </DialogButton>
          </>
        )
      }
      filters={
        <FieldRow label="Filter">
          <ChoiceFilter name="status" label="Status" choices={STATUSES} />
          <ChoiceFilter name="protocol" label="Protocol" choices={PROTOCOLS} />
          <TextFilter name="skill" label="Skill" maxLength={256} placeholder="Its name or id" />
        </FieldRow>
      }
      query={list}
      rows={({ agents }) => agents}
      rowKey={({ uuid }) => uuid}
      columns={COLUMNS}
      empty={
        isFiltered ? (
          <Empty title="No agent matches" />
        ) : (
          <Empty title="There are no agents">
            <p>
              An agent is a service that speaks A2A or MCP, or a worker of yours. Register its card, or let the server fetch it.
            </p>
          </Empty>
        )
      }
      footer={({ agents }) => (
        <p>
          {offset > 0 && (
            <Button onClick={() => change({ offset: offset > PAGE ? String(offset - PAGE) : undefined })}>Newer</Button>
          )}{' '}
          {agents.length === PAGE && <Button onClick={() => change({ offset: String(offset + PAGE) })}>Older</Button>}
        </p>
      )}
    />
  );
}

const COLUMNS: readonly Column<Agent>[] = [
  {
    header: 'Agent',
    cell: ({ uuid, name, id }) => (
      <>
        <Link href={`/agents/${uuid}`}>
          <Name text={name === '' ? id : name} maxChars={80} />
        </Link>
        <p className="muted">
          <Name text={id} maxChars={80} />
        </p>
      </>
    ),
  },
  { header: 'Status', isShort: true, cell: (agent) => <AgentStatus agent={agent} /> },
  { header: 'Skills', cell: ({ capabilities }) => <Names of={capabilities.skills.map(({ name }) => name)} /> },
  { header: 'Protocols', cell: ({ capabilities }) => <Names of={capabilities.protocols} /> },
  { header: 'Last heartbeat', cell: ({ last_heartbeat }) => <Time at={last_heartbeat} otherwise="never" /> },
  { header: 'Registered', cell: ({ registered_at }) => <Time at={registered_at} /> },
];

export function AgentStatus({ agent: { status, stale } }: { readonly agent: Agent }) {
  return (
    <>
      <StatusBadge status={status} /> {stale && <StatusBadge status="stale" />}
    </>
  );
}
