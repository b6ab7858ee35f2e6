import { useState } from 'react';
import { Link } from 'wouter';
import type { Agent } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Field, FieldRow } from '../../components/field.tsx';
import { Name, Names } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { navigate, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { DiscoverDialog, RegisterDialog } from './new-agent-dialogs.tsx';
import { STALE_MS, staleTimes } from './stale-at.ts';

const STATUSES = ['registered', 'active', 'paused', 'deactivated', 'archived'] as const;
const PROTOCOLS = ['a2a', 'mcp', 'anp'] as const;
const PAGE = 100;

export function AgentsPage() {
  const { client, can } = useSession();
  const [parameters, change] = useParameters();
  const [isAdding, setAdding] = useState<'discover' | 'register' | null>(null);
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
  const added = ({ uuid }: Agent): void => navigate(`/agents/${uuid}`);
  return (
    <Page
      title="Agents"
      actions={
        can('write') && (
          <>
            <Button onClick={() => setAdding('register')}>Register a card</Button>
            <Button kind="primary" onClick={() => setAdding('discover')}>
              Discover by URL
            </Button>
          </>
        )
      }
    >
      <FieldRow label="Filter">
        <Field label="Status">
          {(control) => (
            <select
              {...control}
              value={status ?? ''}
              onChange={({ target }) => change({ status: target.value, offset: undefined })}
            >
              <option value="">All</option>
              {STATUSES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Protocol">
          {(control) => (
            <select
              {...control}
              value={protocol ?? ''}
              onChange={({ target }) => change({ protocol: target.value, offset: undefined })}
            >
              <option value="">All</option>
              {PROTOCOLS.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Skill">
          {(control) => (
            <input
              {...control}
              type="search"
              maxLength={256}
              value={skill ?? ''}
              placeholder="Its name or id"
              onChange={({ target }) => change({ skill: target.value, offset: undefined })}
            />
          )}
        </Field>
      </FieldRow>
      <QueryStates query={list} what="agents">
        {({ agents }) => (
          <>
            {agents.length > 0 && <Table label="Agents" rows={agents} rowKey={({ uuid }) => uuid} columns={COLUMNS} />}
            {agents.length === 0 && isFiltered && <Empty title="No agent matches" />}
            {agents.length === 0 && !isFiltered && (
              <Empty title="There are no agents">
                <p>
                  An agent is a service that speaks A2A or MCP, or a worker of yours. Register its card, or let the server fetch
                  it.
                </p>
              </Empty>
            )}
            <p>
              {offset > 0 && (
                <Button onClick={() => change({ offset: offset > PAGE ? String(offset - PAGE) : undefined })}>Newer</Button>
              )}{' '}
              {agents.length === PAGE && <Button onClick={() => change({ offset: String(offset + PAGE) })}>Older</Button>}
            </p>
          </>
        )}
      </QueryStates>
      {isAdding === 'discover' && <DiscoverDialog onAdded={added} onClose={() => setAdding(null)} />}
      {isAdding === 'register' && <RegisterDialog onAdded={added} onClose={() => setAdding(null)} />}
    </Page>
  );
}

const COLUMNS: readonly Column<Agent>[] = [
  {
    id: 'name',
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
  { id: 'status', header: 'Status', isShort: true, cell: (agent) => <AgentStatus agent={agent} /> },
  { id: 'skills', header: 'Skills', cell: ({ capabilities }) => <Names of={capabilities.skills.map(({ name }) => name)} /> },
  { id: 'protocols', header: 'Protocols', cell: ({ capabilities }) => <Names of={capabilities.protocols} /> },
  { id: 'heartbeat', header: 'Last heartbeat', cell: ({ last_heartbeat }) => <Time at={last_heartbeat} otherwise="never" /> },
  { id: 'registered', header: 'Registered', cell: ({ registered_at }) => <Time at={registered_at} /> },
];

export function AgentStatus({ agent: { status, stale } }: { readonly agent: Agent }) {
  return (
    <>
      <StatusBadge status={status} /> {stale && <StatusBadge status="stale" />}
    </>
  );
}
