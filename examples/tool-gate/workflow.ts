// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { call_tool, explain } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    tool: Type.String(),
    argument: Type.String(),
    gate: Type.Unsafe<{ decision: string; subject: string; rule: string | null }>({ type: 'object' }),
    result: Type.Unsafe<{ sent: string } | { refunded: string } | { refused: string }>({ type: 'object' }),
  }),
);

export const toolGate = workflow({
  id: 'tool-gate',
  version: '1.0.0',
  description: 'Ask a policy before a tool that a request names is called',
  state: State,
  start: 'gate',
  tools: { call_tool, explain },
  policies: {
    house: { blockedTools: ['shell.*', '*.delete'], requireApprovalFor: ['payments.*'] },
  },
  nodes: {
    gate: {
      type: 'policy',
      policyRef: 'house',
      subject: '{{ state.tool }}',
      onBlocked: 'refuse',
      outputKey: 'gate',
      next: 'call',
    },
    call: {
      type: 'tool',
      tool: 'call_tool',
      input: { tool: '{{ state.tool }}', argument: '{{ state.argument }}' },
      outputKey: 'result',
    },
    refuse: {
      type: 'tool',
      tool: 'explain',
      input: { text: '{{ state.gate.subject }} is not allowed ({{ state.gate.rule }})' },
      outputKey: 'result',
    },
  },
  tests: [
    {
      name: 'calls a harmless tool at once',
      input: { tool: 'mail.send' },
      expect: {
        visited: ['gate', 'call'],
        state: { gate: { decision: 'allow', subject: 'mail.send' } },
      },
    },
    {
      name: 'refuses a blocked tool',
      input: { tool: 'files.delete' },
      expect: {
        visited: ['gate', 'refuse'],
        state: { gate: { decision: 'block', rule: 'blocked_tools: *.delete' } },
      },
    },
    {
      name: 'calls a payment once a person has approved it',
      input: { tool: 'payments.refund' },
      results: { gate: 'approve' },
      expect: {
        visited: ['gate', 'call'],
        state: { gate: { decision: 'require_approval', approved: true } },
      },
    },
    {
      name: 'fails when a person rejects the payment',
      input: { tool: 'payments.refund' },
      results: { gate: 'reject' },
      expect: { status: 'failed', visited: ['gate'], notVisited: ['call', 'refuse'] },
    },
  ],
});
