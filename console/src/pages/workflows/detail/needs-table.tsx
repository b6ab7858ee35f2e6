import { useMemo } from 'react';
import { Link } from 'wouter';
import { isObject } from '../../../../../machines/json.ts';
import type { JamjetClient, WorkflowDetail } from '../../../../../src/client/index.ts';
import { type Need, workflowNeeds } from '../../../../../src/views/workflow-needs.ts';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Name } from '../../../components/name.tsx';
import { type Column, Table } from '../../../components/table.tsx';
import { useFreshQuery } from '../../../live/use-fresh-query.ts';
import { useSession } from '../../../session/session.ts';
import { allWorkers } from '../../workers/all-workers.ts';
import { workflowPath } from '../paths.ts';
import styles from './detail.module.css';

type Worker = Awaited<ReturnType<JamjetClient['workers']>>['workers'][number];

const WORDS: Readonly<Record<Need['kind'], string>> = {
  tool: 'Tool',
  model: 'Model',
  mcp_server: 'MCP server',
  agent: 'Agent',
  workflow: 'Workflow',
  event: 'Event',
  person: 'Decision of a person',
};

/** What the nodes of a workflow need besides the server, and who serves the tools now. */
export function NeedsTable({ workflow: { ir } }: { readonly workflow: WorkflowDetail }) {
  const { client } = useSession();
  const needs = useMemo(() => workflowNeeds(ir), [ir]);
  const workers = useFreshQuery({ queryKey: ['workers'], queryFn: ({ signal }) => allWorkers(client, signal) });
  const declared = isObject(ir.tools) ? ir.tools : {};
  const isHttp = (name: string): boolean => {
    const entry = Object.hasOwn(declared, name) ? declared[name] : undefined;
    return isObject(entry) && (entry.kind === 'http' || entry.type === 'http');
  };
  const columns: readonly Column<Need>[] = [
    { header: 'Needs', cell: ({ kind }) => WORDS[kind] },
    { header: 'Name', cell: (need) => <NeedName need={need} /> },
    { header: 'For nodes', cell: ({ nodes }) => <Name text={nodes.join(', ')} maxChars={200} /> },
    {
      header: 'Served by',
      cell: ({ kind, name, queue }) => {
        if (kind !== 'tool') return '–';
        if (isHttp(name)) return 'HTTP, as the workflow declares';
        return workers.data === undefined ? '…' : <Servers names={serversOf(workers.data.workers, name, queue)} />;
      },
    },
  ];
  if (needs.length === 0) return <Empty title="It needs nothing but this server" />;
  return (
    <>
      {workers.error !== null && <ErrorNotice error={workers.error} onRetry={() => void workers.refetch()} />}
      <Table label="What it needs" rows={needs} rowKey={({ kind, name }) => `${kind} ${name}`} columns={columns} />
    </>
  );
}

function NeedName({ need: { kind, name } }: { readonly need: Need }) {
  if (kind === 'person') return <>–</>;
  if (kind !== 'workflow') return <Name text={name} maxChars={160} />;
  return (
    <Link href={workflowPath(name)}>
      <Name text={name} maxChars={160} />
    </Link>
  );
}

function Servers({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span className={styles.unserved}>nothing at present</span>;
  return <Name text={names.join(', ')} maxChars={200} />;
}

function serversOf(workers: readonly Worker[], tool: string, queue: string | null): readonly string[] {
  const serves = ({ kind, tools, queues }: Worker): boolean =>
    kind === 'runtime'
      ? tools?.includes(tool) === true
      : queue !== null && queues.includes(queue) && tools?.includes(tool) !== false;
  return workers.filter((worker) => worker.status === 'active' && serves(worker)).map(({ id }) => id);
}
