import { useParams } from 'wouter';
import type { Json } from '../../../../machines/json.ts';
import type { AgentTrace } from '../../../../src/api/operations/agents.ts';
import type { Agent } from '../../../../src/client/index.ts';
import { BackLink } from '../../components/back-link.tsx';
import { Details } from '../../components/details.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Name, Names } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useSession } from '../../session/session.ts';
import { AgentActions } from './agent-actions.tsx';
import { AgentStatus } from './agents-page.tsx';
import { STALE_MS, staleTimes } from './stale-at.ts';

const TRACED = 100;

export function AgentPage() {
  const { id = '' } = useParams();
  const { client, can } = useSession();
  const query = useFreshQuery({ queryKey: ['agent', id], queryFn: ({ signal }) => client.agents.get(id, { signal }) });
  useRefetchAt(query, staleTimes(query.data && [query.data]), STALE_MS);
  const agent = query.data;
  return (
    <Page
      title={`Agent ${agent?.id ?? id}`}
      heading={
        agent && (
          <>
            <Name text={agent.name === '' ? agent.id : agent.name} /> <AgentStatus agent={agent} />
          </>
        )
      }
      actions={agent && can('write') && <AgentActions agent={agent} />}
    >
      <BackLink href="/agents">All agents</BackLink>
      <QueryStates query={query} what="the agent">
        {(shown) => (
          <>
            <AgentDetails agent={shown} />
            <Skills agent={shown} />
            <Trace agent={shown} />
            <Panel title="Card">
              <JsonView value={shown.card as Json} label={`Card of ${shown.id}`} />
            </Panel>
          </>
        )}
      </QueryStates>
    </Page>
  );
}

function AgentDetails({ agent }: { readonly agent: Agent }) {
  const { capabilities, auth, labels } = agent;
  const names = (of: readonly string[]) => (of.length === 0 ? null : <Names of={of} />);
  return (
    <Details
      items={[
        ['Id', <Name key="id" text={agent.id} />],
        ['UUID', <code key="uuid">{agent.uuid}</code>],
        ['Address', <Name key="uri" text={agent.uri} />],
        ['Description', agent.description === '' ? null : <Name key="description" text={agent.description} maxChars={1_000} />],
        ['Version', agent.version === '' ? null : <Name key="version" text={agent.version} />],
        ['Protocols', names(capabilities.protocols)],
        ['Tools it offers', names(capabilities.tools_provided)],
        ['Tools it uses', names(capabilities.tools_consumed)],
        ['Autonomy', agent.autonomy],
        ['Authentication', typeof auth.type === 'string' ? <Name key="auth" text={auth.type} /> : null],
        ['Labels', names(Object.entries(labels).map(([key, value]) => `${key}: ${value}`))],
        ['Last heartbeat', <Time key="heartbeat" at={agent.last_heartbeat} otherwise="never" />],
        ['Registered', <Time key="registered" at={agent.registered_at} />],
        ['Changed', <Time key="updated" at={agent.updated_at} />],
      ]}
    />
  );
}

type Skill = Agent['capabilities']['skills'][number];

const SKILL_COLUMNS: readonly Column<Skill>[] = [
  { header: 'Skill', cell: ({ name }) => <Name text={name} /> },
  { header: 'Id', cell: ({ id }) => <Name text={id} /> },
  { header: 'Description', cell: ({ description }) => (description === '' ? '–' : <Name text={description} maxChars={500} />) },
];

function Skills({ agent: { capabilities } }: { readonly agent: Agent }) {
  if (capabilities.skills.length === 0) return null;
  return (
    <Panel title="Skills">
      <Table label="Skills" rows={capabilities.skills} rowKey={({ id }) => id} columns={SKILL_COLUMNS} />
    </Panel>
  );
}

const TRACE_COLUMNS: readonly Column<AgentTrace['events'][number]>[] = [
  { header: 'Event', cell: ({ summary }) => <Name text={summary} maxChars={500} /> },
  { header: 'Direction', isShort: true, cell: ({ direction }) => (direction === 'inbound' ? 'done to it' : 'done by it') },
  { header: 'Actor', cell: ({ actor_id }) => <Name text={actor_id} maxChars={80} /> },
  {
    header: 'Execution',
    cell: ({ execution_id: id, node_id: node }) =>
      id === undefined ? (
        '–'
      ) : (
        <>
          <ExecutionLink id={id} /> {node !== undefined && <Name text={node} maxChars={80} />}
        </>
      ),
  },
  { header: 'Time', cell: ({ timestamp }) => <Time at={timestamp} /> },
];

/** What was done to the agent and by it. */
function Trace({ agent: { id, uuid } }: { readonly agent: Agent }) {
  const { client } = useSession();
  const trace = useFreshQuery({
    queryKey: ['agent trace', uuid],
    queryFn: ({ signal }) => client.agents.trace(uuid, { limit: TRACED }, { signal }),
  });
  // The stream does not say who acted.
  useRefetchOnEvent(trace, () => true);
  return (
    <Panel title="Trace">
      <QueryStates query={trace} what="the trace">
        {({ events }) =>
          events.length === 0 ? (
            <p className="muted">
              Nothing is on record. What the agent does is found by its name: call its token <code>agent:{id}</code>.
            </p>
          ) : (
            <Table
              label="Trace"
              rows={events.map((event, index) => ({ ...event, key: String(events.length - index) }))}
              rowKey={({ key }) => key}
              columns={TRACE_COLUMNS}
            />
          )
        }
      </QueryStates>
    </Panel>
  );
}
