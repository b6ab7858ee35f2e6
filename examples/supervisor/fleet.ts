// The same fleet as fleet.yaml, in TypeScript: the supervisor has the definitions as its tools, which say what the model is told of them.
import { agent, defineTool, fleet, Type, workflow } from 'jamjet-runtime';
import * as archive from './tools.mjs';

const search = defineTool({
  description: 'Finds notes that contain a word.',
  input: Type.Object({ word: Type.String() }),
  run: archive.search,
});

const writer = agent({
  id: 'writer',
  version: '1.0.0',
  description: 'Writes two sentences from facts, and revises them until a critic accepts them.',
  state: Type.Object({ facts: Type.String() }),
  strategy: 'critic',
  strategyConfig: { maxRounds: 1 },
  goal: 'Write two sentences for the newsletter from these facts: {{ state.facts }}',
  model: 'gpt-4o-mini',
  limits: { maxIterations: 4, maxCostUsd: 0.1, timeoutSeconds: 120 },
});

const researcher = workflow({
  id: 'researcher',
  version: '1.0.0',
  description: 'Finds facts about a topic in the archive.',
  state: Type.Object({ topic: Type.String(), facts: Type.Optional(Type.String()) }),
  tools: { search },
  nodes: {
    search_archive: {
      type: 'agent',
      model: 'gpt-4o-mini',
      instructions: 'You search the archive until you have facts, and list them.',
      prompt: 'Find facts about {{ state.topic }}.',
      tools: ['search'],
      maxTurns: 5,
      outputKey: 'facts',
    },
  },
  tests: [
    {
      name: 'searches, and lists what it has found',
      input: { topic: 'the green lamp' },
      results: {
        search_archive: [{ toolCalls: [{ name: 'search', arguments: { word: 'lamp' } }] }, { output: 'The lamp needs 4 watts.' }],
        'search_archive.search': { notes: ['The lamp needs 4 watts.'] },
      },
      expect: { status: 'completed', state: { facts: 'The lamp needs 4 watts.' } },
    },
  ],
});

const newsletter = workflow({
  id: 'newsletter',
  version: '1.0.0',
  state: Type.Object({ wish: Type.String(), text: Type.Optional(Type.String()) }),
  nodes: {
    supervisor: {
      type: 'agent',
      model: 'gpt-4o',
      instructions: 'You plan. Let the researcher find facts, then let the writer write. Answer with the text of the writer.',
      prompt: '{{ state.wish }}',
      tools: [{ workflow: researcher, output: '{{ state.facts }}' }, writer],
      maxTurns: 6,
      outputKey: 'text',
    },
  },
  tests: [
    {
      name: 'lets one find facts and the other one write',
      input: { wish: 'Something about the green lamp' },
      results: {
        supervisor: [
          { toolCalls: [{ name: 'researcher', arguments: { topic: 'the green lamp' } }] },
          { toolCalls: [{ name: 'writer', arguments: { facts: 'The lamp needs 4 watts.' } }] },
          { output: 'The green lamp needs 4 watts. It lasts.' },
        ],
        'supervisor.researcher': 'The lamp needs 4 watts.',
        'supervisor.writer': 'The green lamp needs 4 watts. It lasts.',
      },
      expect: {
        status: 'completed',
        visitedIncludes: ['supervisor.researcher', 'supervisor.writer'],
        state: { text: 'The green lamp needs 4 watts. It lasts.' },
      },
    },
  ],
});

export const supervisor = fleet([writer, researcher, newsletter]);
