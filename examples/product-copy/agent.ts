// The same agent as agent.yaml, in TypeScript.
import { agent, Type } from 'jamjet-runtime';

export const productCopy = agent({
  id: 'product-copy',
  version: '1.0.0',
  description: 'Write the text of a product, and revise it until a critic accepts it',
  state: Type.Partial(Type.Object({ product: Type.String(), result: Type.String() })),
  strategy: 'critic',
  strategyConfig: { criticModel: 'gpt-4o', passThreshold: 0.8, maxRounds: 2 },
  goal: 'Write two sentences for the shop page of {{ state.product }}, without superlatives',
  model: 'gpt-4o-mini',
  limits: { maxIterations: 4, maxCostUsd: 0.1, timeoutSeconds: 120 },
  tests: [
    {
      name: 'accepts the first draft',
      input: { product: 'a kettle' },
      results: {
        __draft__: 'It boils a litre. It is made of steel.',
        __critic_0__: { score: 0.9, passed: true, feedback: '' },
        __finalize__: 'It boils a litre. It is made of steel.',
      },
      expect: {
        visited: ['__draft__', '__critic_0__', '__critic_gate_0__', '__finalize__'],
        state: { result: 'It boils a litre. It is made of steel.' },
      },
    },
    {
      name: 'revises what the critic refuses',
      input: { product: 'a kettle' },
      results: {
        __draft__: 'The best kettle of all.',
        __critic_0__: { score: 0.2, passed: false, feedback: 'no superlatives' },
        __revise_0__: 'It boils a litre.',
        __critic_1__: { score: 0.85, passed: true, feedback: '' },
        __finalize__: 'It boils a litre.',
      },
      expect: {
        visited: ['__draft__', '__critic_0__', '__critic_gate_0__', '__revise_0__', '__critic_1__', '__finalize__'],
        state: { result: 'It boils a litre.' },
      },
    },
  ],
});
