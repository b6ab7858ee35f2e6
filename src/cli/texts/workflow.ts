import type { Json, JsonObject } from '../../../machines/json.ts';
import type { WorkflowDetail, WorkflowList, WorkflowRevisions } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import { isSameWorkflow, type NodeDiff, type WorkflowDiff } from '../../views/workflow-diff.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';
import { changeText } from './diff.ts';

/** Digits of a revision that are shown; any six of them name it. */
const DIGITS = 12;

export function shortRevision(revision: string): string {
  return revision.slice(0, DIGITS);
}

/** `refund 1.0.0 (revision 3f2a91c04b7d)`. */
export function workflowName({
  workflow_id,
  version,
  revision,
}: Pick<WorkflowDetail, 'workflow_id' | 'version' | 'revision'>): string {
  return `${plain(workflow_id)} ${plain(version)} (revision ${shortRevision(revision)})`;
}

export function workflowTable({ workflows }: WorkflowList, nowMs: number, paint: Paint): string {
  const columns = ['WORKFLOW', 'VERSION', 'REVISION', 'REGISTERED', 'BY'].map((title) => ({ title }));
  return table(
    columns,
    workflows.map(({ workflow_id, version, revision, registered_at, registered_by }) => [
      plain(workflow_id),
      plain(version),
      shortRevision(revision),
      ago(Date.parse(registered_at), nowMs),
      plain(registered_by),
    ]),
    paint,
  );
}

/** What was registered under the versions of a workflow, the last registered first; `●` marks what a version has now. */
export function revisionTable({ revisions }: WorkflowRevisions, nowMs: number, paint: Paint): string {
  const columns = ['', 'VERSION', 'REVISION', 'REGISTERED', 'BY', 'FIRST'].map((title) => ({ title }));
  return table(
    columns,
    revisions.map((row) => [
      row.current ? paint.green('●') : ' ',
      plain(row.version),
      shortRevision(row.revision),
      ago(Date.parse(row.registered_at), nowMs),
      plain(row.registered_by),
      row.first_registered_at === row.registered_at
        ? paint.dim('–')
        : `${ago(Date.parse(row.first_registered_at), nowMs)} by ${plain(row.first_registered_by)}`,
    ]),
    paint,
  );
}

export function workflowDiffText(diff: WorkflowDiff, paint: Paint): string {
  if (isSameWorkflow(diff)) return paint.dim('no differences');
  const { settings, nodes, edges, reordered } = diff;
  const edgeLines = [
    ...edges.removed.map((edge) => paint.red(`- edge ${edgeText(edge)}`)),
    ...edges.added.map((edge) => paint.green(`+ edge ${edgeText(edge)}`)),
  ];
  return [
    ...settings.map((change) => changeText(change, paint)),
    ...nodes.map((node) => nodeText(node, paint)),
    ...edgeLines,
    ...(reordered ? [paint.yellow('~ the nodes are written in another order')] : []),
  ].join('\n');
}

function nodeText({ id, change, kind, changes }: NodeDiff, paint: Paint): string {
  const name = `node ${plain(id)} ${paint.dim(`(${plain(kind)})`)}`;
  if (change === 'added') return `${paint.green('+')} ${name}`;
  if (change === 'removed') return `${paint.red('-')} ${name}`;
  return [`${paint.yellow('~')} ${name}`, ...changes.map((each) => `    ${changeText(each, paint)}`)].join('\n');
}

/** `review → send  if state.amount > 100`. */
function edgeText({ from, to, condition, when }: JsonObject): string {
  const text = (value: Json | undefined): string => plain(typeof value === 'string' ? value : JSON.stringify(value ?? null));
  const guard = condition ?? when ?? null;
  return `${text(from)} → ${text(to)}${guard === null ? '' : `  if ${text(guard)}`}`;
}
