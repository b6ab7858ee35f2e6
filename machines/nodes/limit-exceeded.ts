import { declareKind, defineKind } from './kind.ts';

const LIMIT_EXCEEDED = declareKind({
  type: 'limit_exceeded',
  description: 'Ends the execution as `limit_exceeded`.',
  attempts: false,
  next: false,
  fields: {},
});

export const limitExceeded = defineKind(LIMIT_EXCEEDED, {
  behaviour: () => 'control',
  endsExecution: true,
  testReplies: 'none',
  diagramShape: 'limit_exceeded',
  letter: '!',
});
