import { type AgentUnit, compileAgent } from './agents/document.ts';
import { refuseCircularUses, resolveUses, type Use } from './agents/uses.ts';
import { type CompiledWorkflow, compileDocument } from './document.ts';
import { MapReader } from './map-reader.ts';
import { readSchedule, type Schedule } from './schedule.ts';
import { soleKey } from './settings.ts';
import { isMap } from './tree.ts';

export interface BundledWorkflow extends CompiledWorkflow {
  readonly schedule: Schedule | null;
}

/** Compiles a bundle: a file with several units under `agents:` and `workflows:`, and one catalog of tools and MCP servers for all of them. */
export function compileBundle(top: MapReader): readonly BundledWorkflow[] {
  top.find('version');
  const defaults = top.map('defaults', 'defaults');
  const version = defaults?.text('version') ?? null;
  const model = defaults?.text('model') ?? null;
  const limits = defaults?.map('limits of the defaults', 'limits') ?? null;
  defaults?.warnAboutUnread();
  const tools = top.map('tools', 'tools');
  const mcp = top.map('mcp', 'mcp');
  const servers = mcp?.map('mcp.servers', 'servers') ?? null;
  const mcpServers = soleKey(mcp, 'servers');
  const agents = unitReaders(top, top.map('agents', 'agents'), 'agent', 'write at least "strategy:" and "goal:" below it');
  const workflows = unitReaders(top, top.map('workflows', 'workflows'), 'workflow', 'write at least "nodes:" below it');
  if (agents.length + workflows.length === 0 && !top.has('agents', 'workflows'))
    top.error('no_units', 'the file has no agents and no workflows: there is nothing to run', top.offset);
  refuseSharedIds(agents, workflows);

  const units: ReadonlySet<string> = new Set([...agents, ...workflows].map(({ id }) => id));
  const uses = agents.map(({ id, reader }) => ({ id, uses: resolveUses(reader, { tools, servers, units }) }));
  refuseCircularUses(uses, top.source.findings);
  const usedTools = new Set(uses.flatMap((agent) => agent.uses.flatMap(({ type, name }) => (type === 'tool' ? [name] : []))));
  const compiledAgents = agents.flatMap(({ id, reader }, i): BundledWorkflow[] => {
    const unit: AgentUnit = {
      id: { value: id, offset: reader.offset },
      version,
      defaults: { model, limits, used: namesOf(uses[i]?.uses ?? []) },
    };
    const schedule = readSchedule(reader);
    const compiled = compileAgent(reader, reader, unit);
    return compiled === null ? [] : [scheduled(compiled, schedule, reader)];
  });
  const compiledWorkflows = workflows.flatMap(({ id, reader }): BundledWorkflow[] => {
    const schedule = readSchedule(reader);
    const unit = { id: { value: id, offset: reader.offset }, version, tools, usedTools, mcpServers };
    const compiled = compileDocument(reader, unit);
    return compiled === null ? [] : [scheduled(compiled, schedule, reader)];
  });
  top.warnAboutUnread();
  return [...compiledAgents, ...compiledWorkflows];
}

/** The workflow with its schedule, whose place is recorded. */
function scheduled(compiled: CompiledWorkflow, schedule: Schedule | null, reader: MapReader): BundledWorkflow {
  compiled.sourceMap.record('schedule', reader.find('schedule')?.keyOffset ?? reader.offset);
  return { ...compiled, schedule };
}

interface UnitReader {
  readonly id: string;
  readonly reader: MapReader;
}

function unitReaders(top: MapReader, units: MapReader | null, what: 'agent' | 'workflow', hint: string): readonly UnitReader[] {
  const fields = units?.fields ?? [];
  if (units !== null && fields.length === 0)
    top.error('no_units', `the file has no ${what}s: there is nothing to run`, units.offset);
  return fields.flatMap((field) => {
    if (isMap(field.value))
      return [{ id: field.key, reader: new MapReader(field.value, field.keyOffset, `${what} "${field.key}"`, top.source) }];
    top.error('wrong_type', `${what} "${field.key}" must be a map of its keys`, field.offset, hint);
    return [];
  });
}

function refuseSharedIds(agents: readonly UnitReader[], workflows: readonly UnitReader[]): void {
  const ids = new Set(agents.map(({ id }) => id));
  for (const { id, reader } of workflows)
    if (ids.has(id)) reader.error('duplicate_unit', `"${id}" is an agent and a workflow`, reader.offset, 'give one another name');
}

/** What an agent's prompts name: tools and other units. A server has no name of its own there. */
function namesOf(uses: readonly Use[]): readonly string[] {
  return uses.flatMap(({ type, name }) => (type === 'mcp' ? [] : [name]));
}
