import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { CompiledWorkflow } from '../document.ts';
import type { Located, MapReader } from '../map-reader.ts';
import { presentEntries, readSettings } from '../settings.ts';
import { RecordedSourceMap } from '../source-map.ts';
import { stateSchema } from '../state-schema.ts';
import { readTests } from '../tests.ts';
import { readTools } from '../tools.ts';
import { type Agent, type AgentDefaults, readAgent } from './agent.ts';

/** An agent of a file with several. */
export interface AgentUnit {
  readonly id: Located<string>;
  readonly version: Located<string> | null;
  readonly defaults: AgentDefaults;
}

/**
 * Compiles an agent: the graph of its strategy, with its limits. `top` is the map with the settings: the file, or the agent itself in a file with
 * several.
 */
export function compileAgent(top: MapReader, reader: MapReader, unit: AgentUnit | null = null): CompiledWorkflow | null {
  const agent = readAgent(reader, unit?.id ?? reader.text('id'), unit?.defaults);
  const version = reader.text('version') ?? unit?.version ?? null;
  const sourceMap = new RecordedSourceMap();
  const header = presentEntries(
    {
      workflow_id: { value: agent?.id ?? '', offset: reader.find('id')?.offset ?? reader.offset },
      version: version ?? { value: '0.1.0', offset: reader.offset },
      name: reader.text('name') ?? { value: agent?.id ?? '', offset: reader.offset },
      description: reader.text('description') ?? { value: agent?.goal ?? '', offset: reader.offset },
      state_schema: { value: stateSchema(reader) ?? '', offset: reader.find('state_schema')?.offset ?? reader.offset },
    },
    sourceMap,
  );
  const settings = readSettings(top, reader, sourceMap);
  const tools = readTools(top === reader ? null : top.map('tools', 'tools'));
  const graph = agent?.strategy.compile(agent);
  const ids = Object.keys(graph?.nodes ?? {});
  const kinds = new Map(Object.entries(graph?.nodes ?? {}).map(([id, node]) => [id, typeOf(node)]));
  const tests = readTests(top, { kinds, ends: new Set() });
  top.warnAboutUnread();
  reader.warnAboutUnread();
  if (agent === null || graph === undefined) return null;
  sourceMap.record('nodes', agent.goalOffset);
  for (const id of ids) sourceMap.record(`nodes.${id}`, agent.goalOffset);
  const document: Record<string, Json> = {
    ...header,
    start_node: graph.start,
    nodes: graph.nodes,
    edges: graph.edges,
    ...settings,
    timeouts: timeoutsOf(agent, settings.timeouts),
    tools: tools.catalog,
    labels: { ...asMap(settings.labels), 'jamjet.strategy': agent.strategyName, 'jamjet.agent.id': agent.id },
    strategy_metadata: {
      strategy_name: agent.strategyName,
      strategy_config: agent.strategyConfig,
      limits: agent.limits,
      agent_id: agent.id,
    },
  };
  return { document, sourceMap, localTools: tools.local, tests };
}

/** The agent's own limit is the timeout of the workflow. */
function timeoutsOf({ limits }: Agent, given: Json | undefined): Json {
  return { heartbeat_interval: 30, ...asMap(given), workflow_timeout: limits.timeout_seconds };
}

function asMap(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function typeOf(node: Json): string {
  return String(asMap(asMap(node).kind).type);
}
