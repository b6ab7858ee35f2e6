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
});
