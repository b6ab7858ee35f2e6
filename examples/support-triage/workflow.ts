// The same workflow as workflow.yaml, in TypeScript.
import { type Static, Type, workflow } from 'jamjet-runtime';
import { open_ticket, page_team } from './tools.mjs';

const Triage = Type.Object({ team: Type.String(), urgent: Type.Boolean() }, { additionalProperties: false });

const State = Type.Partial(
  Type.Object({
    request: Type.String(),
    triage: Type.Unsafe<Static<typeof Triage>>({ type: 'object' }),
    receipt: Type.String(),
  }),
);

export const supportTriage = workflow({
  id: 'support-triage',
  version: '1.0.0',
  description: 'Sort a support request with a language model',
  state: State,
  start: 'classify',
  tools: { page_team, open_ticket },
  nodes: {
    classify: {
      type: 'model',
      model: 'gpt-4o-mini',
      systemPrompt: 'prompts/triage.md',
      prompt: '{{ state.request }}',
      temperature: 0,
      outputSchema: Triage,
      outputKey: 'triage',
      retryPolicy: 'llm_default',
      timeout: '60s',
      next: 'decide',
    },
    decide: { type: 'condition', branches: [{ if: 'state.triage.urgent', next: 'page' }], default: 'ticket' },
    page: {
      type: 'tool',
      tool: 'page_team',
      input: { team: '{{ state.triage.team }}', request: '{{ state.request }}' },
      outputKey: 'receipt',
    },
    ticket: {
      type: 'tool',
      tool: 'open_ticket',
      input: { team: '{{ state.triage.team }}', request: '{{ state.request }}' },
      outputKey: 'receipt',
    },
  },
});
