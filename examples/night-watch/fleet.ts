// The same fleet as fleet.yaml, in TypeScript.
import { agent, fleet, Type, workflow } from 'jamjet-runtime';
import { open_incident } from './tools.mjs';

const defaults = {
  version: '1.0.0',
  model: 'gpt-4o-mini',
  limits: { maxIterations: 2, maxCostUsd: 0.2, timeoutSeconds: 120 },
};

const morningBrief = agent({
  ...defaults,
  id: 'morning-brief',
  strategy: 'reflection',
  goal: 'Summarise what happened tonight for the team: {{ state.log }}',
  state: Type.Partial(Type.Object({ log: Type.String(), result: Type.String() })),
  schedule: { cron: '0 7 * * *', timezone: 'Europe/Berlin', input: { log: 'no alarms' } },
  tests: [
    {
      name: 'reflects once',
      input: { log: '02:10 disk full on db-1' },
      results: {
        __execute__: 'Quiet night.',
        __reflect_0__: { score: 0.3, passed: false, gaps: 'the full disk' },
        __revise_0__: 'A disk was full at 02:10.',
        __reflect_1__: { score: 0.9, passed: true },
        __finalize__: 'A disk was full at 02:10.',
      },
      expect: { state: { result: 'A disk was full at 02:10.' } },
    },
  ],
});

const secondOpinion = agent({
  ...defaults,
  id: 'second-opinion',
  strategy: 'consensus',
  strategyConfig: { numAgents: 2 },
  goal: 'How severe is this alarm, from 1 to 5? {{ state.alarm }}',
  state: Type.Partial(Type.Object({ alarm: Type.String(), result: Type.String() })),
});

const alarm = workflow({
  id: 'alarm',
  version: defaults.version,
  state: Type.Partial(
    Type.Object({
      alarm: Type.String(),
      opinion: Type.String(),
      incident: Type.Unsafe<{ id: string; alarm: string; severity: string }>({ type: 'object' }),
    }),
  ),
  tools: { open_incident },
  nodes: {
    judge: {
      type: 'subgraph',
      workflow: secondOpinion,
      input: { alarm: '{{ state.alarm }}' },
      outputMapping: { opinion: 'state.result' },
      next: 'severe',
    },
    severe: {
      type: 'condition',
      branches: [{ if: "state.opinion in ['4', '5']", next: 'open_incident' }],
      default: 'end',
    },
    open_incident: {
      input: { alarm: '{{ state.alarm }}', severity: '{{ state.opinion }}' },
      outputKey: 'incident',
    },
  },
  tests: [
    {
      name: 'opens an incident for a severe alarm',
      input: { alarm: 'db-1 is down' },
      results: { judge: { result: '5' }, open_incident: { id: 'INC-1' } },
      expect: { visited: ['judge', 'severe', 'open_incident'], state: { incident: { id: 'INC-1' } } },
    },
  ],
});

export const nightWatch = fleet([morningBrief, secondOpinion, alarm]);
