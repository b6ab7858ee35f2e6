import type { Agent } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields, table } from '../terminal/table.ts';
import { count, cut, plain } from '../terminal/text.ts';

export const AGENT_STATUSES = ['registered', 'active', 'paused', 'deactivated', 'archived'] as const;

const COLUMNS = [
  { title: 'AGENT' },
  { title: 'NAME' },
  { title: 'STATUS' },
  { title: 'SKILLS' },
  { title: 'PROTOCOLS' },
  { title: 'HEARTBEAT', align: 'right' },
  { title: 'ADDRESS' },
] as const;

export function agentTable(agents: readonly Agent[], nowMs: number, paint: Paint): string {
  const rows = agents.map((agent) => [
    plain(agent.id),
    cut(plain(agent.name), 32),
    paintAgentStatus(agent, paint),
    cut(plain(agent.capabilities.skills.map((skill) => skill.id).join(', ')), 40),
    plain(agent.capabilities.protocols.join(', ')),
    lastHeartbeatText(agent, nowMs),
    paint.dim(plain(agent.uri)),
  ]);
  return table(COLUMNS, rows, paint);
}

export function agentDetails(agent: Agent, nowMs: number, paint: Paint): string {
  const { skills, protocols, tools_provided, tools_consumed } = agent.capabilities;
  const given: readonly (readonly [string, string])[] = [
    ['protocols', protocols.join(', ')],
    ['provides', tools_provided.join(', ')],
    ['consumes', tools_consumed.join(', ')],
    ...Object.entries(agent.labels).map(([name, value]) => [`label ${name}`, value] as const),
  ];
  const entries: [string, string][] = [
    ['agent', plain(agent.id)],
    ['uuid', agent.uuid],
    ['name', `${plain(agent.name)} ${paint.dim(plain(agent.version))}`],
    ['status', paintAgentStatus(agent, paint)],
    ['address', plain(agent.uri)],
    ['description', plain(agent.description)],
    ['autonomy', agent.autonomy],
    ['auth', plain(String(agent.auth.type))],
    ...given.map(([name, value]): [string, string] => [plain(name), plain(value)]),
    ['registered', ago(Date.parse(agent.registered_at), nowMs)],
    ['changed', ago(Date.parse(agent.updated_at), nowMs)],
    ['heartbeat', lastHeartbeatText(agent, nowMs)],
  ];
  const shown = entries.filter(([, value]) => value !== '');
  const listed = skills.map((skill) => [plain(skill.id), cut(plain(skill.description || skill.name), 100)] as const);
  const title = paint.bold(count(skills.length, 'skill'));
  return `${fields(shown, paint)}${skills.length === 0 ? '' : `\n\n${title}\n${fields(listed, paint, '  ')}`}`;
}

function lastHeartbeatText(agent: Agent, nowMs: number): string {
  return agent.last_heartbeat === null ? '' : ago(Date.parse(agent.last_heartbeat), nowMs);
}

function paintAgentStatus({ status, stale }: Agent, paint: Paint): string {
  if (stale) return paint.red(`${status}, silent`);
  if (status === 'active') return paint.green(status);
  if (status === 'paused') return paint.yellow(status);
  return status === 'registered' ? paint.cyan(status) : paint.dim(status);
}
