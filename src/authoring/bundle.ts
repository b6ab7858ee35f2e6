import { isMap } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { type CompiledWorkflow, compileDocument } from './document.ts';
import { MapReader } from './map-reader.ts';
import { soleKey } from './settings.ts';

/** When executions of a workflow are to be started. */
export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly input: Json;
  readonly enabled: boolean;
}

export interface BundledWorkflow extends CompiledWorkflow {
  readonly schedule: Schedule | null;
}

/** Compiles a bundle: a file with several workflows under `workflows:` and one tool catalog for all of them. */
export function compileBundle(top: MapReader): readonly BundledWorkflow[] {
  const agents = top.fields.find(({ key, value }) => key === 'agents' && value !== null);
  top.find('agents');
  if (agents !== undefined) {
    const hint = 'write each agent as a workflow below "workflows:"';
    top.error('not_available', '"agents:" are not available in this runtime yet', agents.keyOffset, hint);
  }
  top.find('version');
  const defaults = top.map('defaults', 'defaults');
  for (const key of ['model', 'limits']) defaults?.find(key);
  const version = defaults?.text('version') ?? null;
  defaults?.warnAboutUnread();
  const tools = top.map('tools', 'tools');
  const mcpServers = soleKey(top.map('mcp', 'mcp'), 'servers');
  const units = workflowReaders(top, top.map('workflows', 'workflows')).flatMap(({ id, reader }): BundledWorkflow[] => {
    const schedule = readSchedule(reader);
    const compiled = compileDocument(reader, { id: { value: id, offset: reader.offset }, version, tools, mcpServers });
    return compiled === null ? [] : [{ ...compiled, schedule }];
  });
  top.warnAboutUnread();
  return units;
}

function workflowReaders(
  top: MapReader,
  workflows: MapReader | null,
): readonly { readonly id: string; readonly reader: MapReader }[] {
  const fields = workflows?.fields ?? [];
  if (fields.length === 0 && !top.has('agents'))
    top.error('no_units', 'the file has no workflows: there is nothing to run', top.offset);
  return fields.flatMap((field) => {
    if (isMap(field.value))
      return [{ id: field.key, reader: new MapReader(field.value, field.keyOffset, `workflow "${field.key}"`, top.source) }];
    const hint = 'write at least "nodes:" below it';
    top.error('wrong_type', `workflow "${field.key}" must be a map of its keys`, field.offset, hint);
    return [];
  });
}

function readSchedule(workflow: MapReader): Schedule | null {
  const schedule = workflow.map(`schedule of ${workflow.name}`, 'schedule');
  if (schedule === null) return null;
  const cron = schedule.text('cron', 'cron_expression');
  const enabled = schedule.json('enabled')?.value ?? true;
  const found = {
    cron: cron?.value ?? '',
    timezone: schedule.text('timezone')?.value ?? 'UTC',
    input: schedule.json('input')?.value ?? {},
    enabled: enabled !== false,
  };
  if (cron === null)
    schedule.error('missing_key', `${schedule.name} has no cron expression`, schedule.offset, 'write "cron: 0 8 * * *"');
  if (typeof enabled !== 'boolean')
    schedule.error('wrong_type', `${schedule.name}: "enabled" must be true or false`, schedule.offset);
  schedule.warnAboutUnread();
  return found;
}
