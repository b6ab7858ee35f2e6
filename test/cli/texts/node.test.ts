import { describe, expect, it } from 'vitest';
import type { NodeAttempt, NodeVisit } from '../../../machines/history/node-visit.ts';
import { paint } from '../../../src/cli/terminal/paint.ts';
import { width } from '../../../src/cli/terminal/text.ts';
import { visitLines } from '../../../src/cli/texts/node.ts';

const attempt = (more: Partial<NodeAttempt>): NodeAttempt => ({
  attempt: 0,
  status: 'done',
  queued_at: null,
  started_at: null,
  completed_at: null,
  duration_ms: 12,
  usage: null,
  worker_id: null,
  ...more,
});
const visit = (more: Partial<NodeVisit>): NodeVisit => ({
  activation: 1,
  status: 'done',
  attempts: [],
  attempts_total: 0,
  ...more,
});

describe('the text of a visit', () => {
  it('shows input, error with stack and causes, usage and worker of each attempt', () => {
    const failed = attempt({
      status: 'failed',
      worker_id: 'worker-7',
      input: { amount: 5 },
      error: 'no funds',
      error_name: 'DeclinedError',
      error_class: 'declined',
      http_status: 402,
      retryable: false,
      stack: 'at charge (tools/pay.ts:12:9)',
      cause: { name: 'TypeError', message: 'no socket', stack: 'at send (net.ts:1:1)', cause: { message: '{code: 42}' } },
      usage: { input_tokens: 3, output_tokens: 4, cost_usd: 0.5, gen_ai_model: 'gpt-4o' },
    });
    expect(visitLines(visit({ status: 'failed', attempts: [failed], attempts_total: 3 }), 100, paint(false))).toEqual([
      'Visit 1  ✗ failed',
      '  2 earlier attempts are not shown',
      '  attempt 0  ✗ failed  12 ms  by worker-7',
      '    input     {"amount":5}',
      '    error     DeclinedError: no funds',
      '              declined, HTTP 402, not retried',
      '      at charge (tools/pay.ts:12:9)',
      '      caused by TypeError: no socket',
      '        at send (net.ts:1:1)',
      '        caused by {code: 42}',
      '    usage     3 input tokens, 4 output tokens, 0.5 USD, gpt-4o',
    ]);
  });

  it('shows what conditions evaluated to, which could not be evaluated, and the edge that was taken', () => {
    const evaluated = [
      { target: 'big', condition: 'state.a.b > 3', problem: 'null is no number' },
      { target: 'small', condition: 'state.ok', value: true },
    ];
    expect(visitLines(visit({ taken: ['small'], evaluated }), 100, paint(false))).toEqual([
      'Visit 1  ✓ done',
      '  ? big: state.a.b > 3 cannot be evaluated and counts as false: null is no number',
      '  ? small: state.ok is true',
      '  → small',
    ]);
  });

  it('says which lists of a patch are shown without the items before', () => {
    const patch = { chat: { messages: ['Hello.'] } };
    const one = attempt({ state_patch: patch, appended: { '/chat/messages': { kept: 7, since: 2 } } });
    expect(visitLines(visit({ attempts: [one], attempts_total: 1 }), 100, paint(false)).slice(-2)).toEqual([
      '    patch     {"chat":{"messages":["Hello."]}}',
      '              chat.messages: 7 earlier items are not repeated',
    ]);
  });

  it('wraps at the width of the terminal, and shows no control characters', () => {
    const text = `${'long words and '.repeat(50)}\u001b[31m`;
    const one = attempt({ status: 'failed', input: { text }, output: text, error: text, stack: `at ${text}`, retryable: true });
    const lines = visitLines(visit({ question: text, attempts: [one], attempts_total: 1 }), 60, paint(false));
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(60);
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});
