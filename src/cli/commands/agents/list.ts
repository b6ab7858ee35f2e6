import { Option } from 'clipanion';
import type { AgentList, CallOptions, JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { choiceArgument, integerArgument } from '../../input/arguments.ts';
import { AGENT_STATUSES, agentTable } from '../../texts/agent.ts';

class AgentsListCommand extends ListCommand<AgentList> {
  static override usage: Usage = {
    details: 'An active agent that has sent heartbeats before, but none for 90 seconds, is shown as silent.',
    examples: [
      ['List all agents', '$0 agents list'],
      ['List active agents with a skill', '$0 agents list --skill research --status active'],
      ['Print the addresses of active agents', "$0 agents list --status active --json | jq -r '.agents[].uri'"],
      ['Watch agents', '$0 agents list --watch'],
    ],
  };

  status = Option.String('-s,--status', { description: `Only this status: ${AGENT_STATUSES.join(', ')}.` });
  skill = Option.String('--skill', { description: 'Only agents with this skill, by name or id.' });
  protocol = Option.String('--protocol', { description: 'Only agents with this protocol: a2a, mcp, anp …' });
  limit = Option.String('--limit', '100', { description: 'Maximum number of agents, 1 to 1000 (default 100).' });
  offset = Option.String('--offset', '0', { description: 'Number of agents to skip (default 0).' });

  protected readonly emptyText = 'no agents';

  protected read(client: JamjetClient, call: CallOptions): Promise<AgentList> {
    const query = {
      limit: integerArgument('--limit', this.limit, { min: 1, max: 1000 }),
      offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      ...(this.status === undefined ? {} : { status: choiceArgument('--status', this.status, AGENT_STATUSES) }),
      ...(this.skill === undefined ? {} : { skill: this.skill }),
      ...(this.protocol === undefined ? {} : { protocol: this.protocol }),
    };
    return client.agents.list(query, call);
  }

  protected listText({ agents }: AgentList): string | null {
    return agents.length === 0 ? null : agentTable(agents, Date.now(), this.paint);
  }

  /** A heartbeat does not count as a change; becoming silent does. */
  protected override comparable({ agents }: AgentList): unknown {
    return agents.map(({ last_heartbeat: _, ...agent }) => agent);
  }
}

export { AgentsListCommand as command };
