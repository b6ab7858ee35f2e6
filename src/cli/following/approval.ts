import { toolQuestion } from '../../../machines/history/node-visits.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { duration } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields } from '../terminal/table.ts';
import { inline, plain } from '../terminal/text.ts';

/** Lines of a pending approval: the question, its context, and the time left. */
export function approvalLines(
  approval: { readonly kind: string; readonly tool_name: string; readonly context: JsonObject },
  nowMs: number,
  paint: Paint,
): readonly string[] {
  const { description, timeout_at, node_id: _node, ...rest } = approval.context;
  const question = toolQuestion(approval.tool_name, approval.context);
  const entries: [string, string][] = Object.entries(rest).map(([name, value]) => [plain(name), inline(value)]);
  if (approval.kind === 'tool' && question === description) entries.unshift(['tool', plain(approval.tool_name)]);
  if (typeof timeout_at === 'string') entries.push(['time left', duration(Math.max(0, Date.parse(timeout_at) - nowMs))]);
  const lines = plain(question, { lines: true })
    .split('\n')
    .map((line) => `    ${line}`);
  return ['', ...lines, ...(entries.length === 0 ? [] : [fields(entries, paint, '    ')])];
}
