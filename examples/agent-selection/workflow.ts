// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { write } from './tools.mjs';

const State = Type.Partial(Type.Object({ topic: Type.String(), writer: Type.String(), text: Type.String() }));

export const agentSelection = workflow({
  id: 'agent-selection',
  version: '1.0.0',
  description: 'Have the best agent write a text',
  state: State,
  start: 'pick',
  tools: { write },
  nodes: {
    pick: {
      type: 'coordinator',
      task: 'Write about {{ state.topic }}',
      requiredSkills: ['write'],
      preferredSkills: ['research'],
      budget: { maxCostUsd: 0.2 },
      weights: { historicalPerformance: 2 },
      outputKey: 'writer',
      fallback: 'write',
      next: 'ask',
    },
    ask: {
      type: 'a2a_task',
      remoteAgent: '{{ state.writer }}',
      skill: 'write',
      input: { topic: '{{ state.topic }}' },
      outputKey: 'text',
      timeout: '60s',
      retryPolicy: 'io_default',
      fallback: 'write',
      next: 'end',
    },
    write: { type: 'tool', input: { topic: '{{ state.topic }}' }, outputKey: 'text' },
  },
  tests: [
    {
      name: 'gives the task to the agent that was selected',
      input: { topic: 'tea' },
      results: {
        pick: { selected: 'https://writer.example.com' },
        ask: { output: 'Tea is a drink.' },
      },
      expect: {
        visited: ['pick', 'ask'],
        state: { writer: 'https://writer.example.com', text: 'Tea is a drink.' },
      },
    },
    {
      name: 'writes itself when no agent can do it',
      input: { topic: 'tea' },
      results: {
        pick: { fail: 'no registered agent', retryable: false },
        write: { output: 'A text about tea.' },
      },
      expect: { visited: ['pick', 'write'], notVisited: ['ask'], state: { text: 'A text about tea.' } },
    },
  ],
});
