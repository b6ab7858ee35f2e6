import { isMap } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { type CompiledWorkflow, compileDocument } from './document.ts';
import { MapReader } from './map-reader.ts';

/** When the unit of a fleet is to be started. */
export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly input: Json;
  readonly enabled: boolean;
}

export interface BundledWorkflow extends CompiledWorkflow {
  readonly schedule: Schedule | null;
}

/** The units of a fleet file: its `workflows:`, each a workflow of its own, with one tool catalog for all of them. */
export function compileBundle(top: MapReader): readonly BundledWorkflow[] {
  const agents = top.fields.find(({ key, value }) => key === 'agents' && value !== null);
  top.find('agents');
  if (agents !== undefined) {
    const hint = 'write each agent as a workflow below "workflows:"';
    top.error('not_available', '"agents:" (agents of a fleet) are not available in this runtime yet', agents.keyOffset, hint);
  }
  top.find('version');
  const defaults = top.map('defaults', 'defaults');
  for (const key of ['model', 'limits']) defaults?.find(key);
  const version = defaults?.text('version') ?? null;
  defaults?.warnOfUnread();
  const tools = top.map('tools', 'tools');
  top.json('mcp');
  const units = workflowsOf(top, top.map('workflows', 'workflows')).flatMap(({ id, section }): BundledWorkflow[] => {
    const schedule = scheduleOf(section);
    const compiled = compileDocument(section, { id: { value: id, at: section.at }, version, tools });
    return compiled === null ? [] : [{ ...compiled, schedule }];
  });
  top.warnOfUnread();
  return units;
}

function workflowsOf(
  top: MapReader,
  workflows: MapReader | null,
): readonly { readonly id: string; readonly section: MapReader }[] {
  const fields = workflows?.fields ?? [];
  if (fields.length === 0 && !top.has('agents'))
    top.error('no_units', 'the file has no workflows: there is nothing to run', top.at);
  return fields.flatMap((field) => {
    if (isMap(field.value))
      return [{ id: field.key, section: new MapReader(field.value, field.keyOffset, `workflow "${field.key}"`, top.source) }];
    const hint = 'write at least "nodes:" below it';
    top.error('wrong_type', `workflow "${field.key}" must be a map of its keys`, field.at, hint);
    return [];
  });
}

function scheduleOf(unit: MapReader): Schedule | null {
  const schedule = unit.map(`schedule of ${unit.name}`, 'schedule');
  if (schedule === null) return null;
  const cron = schedule.text('cron', 'cron_expression');
  const enabled = schedule.json('enabled')?.value ?? true;
  const found = {
    cron: cron?.value ?? '',
    timezone: schedule.text('timezone')?.value ?? 'UTC',
    input: schedule.json('input')?.value ?? {},
    enabled: enabled !== false,
  };
  if (cron === null) schedule.error('missing_key', `${schedule.name} does not say when`, schedule.at, 'write "cron: 0 8 * * *"');
  if (typeof enabled !== 'boolean')
    schedule.error('wrong_type', `${schedule.name}: "enabled" must be true or false`, schedule.at);
  schedule.warnOfUnread();
  return found;
}
