import type { Diagnostic } from '../../machines/diagnostics.ts';
import { isObject, type Json } from '../../machines/json.ts';
import { isPromptFile, PROMPT_KEYS } from '../../machines/nodes/model-names.ts';
import type { ParsedWorkflow } from './parse.ts';

/** What a workflow file cannot have when it arrives without the folder in which it was written, as the body of a request. */
export function requestProblems({ document, schedule }: ParsedWorkflow): readonly Diagnostic[] {
  const nodes = isObject(document.nodes) ? Object.entries(document.nodes) : [];
  const prompts = nodes.flatMap(([id, node]) => {
    const kind: Json = isObject(node) ? (node.kind ?? null) : null;
    if (!isObject(kind) || kind.type !== 'model') return [];
    return PROMPT_KEYS.flatMap((key): Diagnostic[] => {
      const prompt = kind[key];
      if (typeof prompt !== 'string' || !isPromptFile(prompt)) return [];
      return [
        {
          severity: 'error',
          code: 'prompt_file',
          node_id: id,
          path: `nodes.${id}.kind.${key}`,
          message: `node "${id}": the prompt ${prompt} is a file, which a request does not carry`,
          hint: 'write the text itself, or register the file with `jamjet register`, which reads its prompts',
        },
      ];
    });
  });
  if (schedule === null) return prompts;
  const warning: Diagnostic = {
    severity: 'warning',
    code: 'schedule_not_created',
    node_id: null,
    path: 'schedule',
    message: `the schedule of ${String(document.workflow_id)} is not created: a registration starts nothing`,
    hint: 'deploy the file with `jamjet deploy`, or create the job with `POST /cron`',
  };
  return [...prompts, warning];
}
