// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';

const State = Type.Partial(Type.Object({ customer: Type.String(), message: Type.String(), answer: Type.String() }));

export const chat = workflow({
  id: 'chat',
  version: '1.0.0',
  description: "Answers a customer's message within the conversation",
  state: State,
  start: 'talk',
  nodes: {
    talk: {
      type: 'model',
      model: 'gpt-4o',
      system: 'You help customers of a lamp shop. Be brief.',
      prompt: '{{ state.message }}',
      thread: '{{ state.customer }}',
      maxMessages: 6,
      summarise: { model: 'gpt-4o-mini', keep: 2 },
      outputKey: 'answer',
    },
  },
  tests: [
    {
      name: 'answers a message',
      input: { customer: 'customer-42', message: 'Hello' },
      results: { talk: 'How can I help you?' },
      expect: { status: 'completed', state: { answer: 'How can I help you?' } },
    },
  ],
});
