// ticket.ts
import { durableMachine } from 'jamjet-runtime';
import { assign, fromPromise, setup } from 'xstate';

const machine = setup({
  types: {
    context: {} as { subject: string; agent: string | null },
    input: {} as { subject: string },
    events: {} as { type: 'ANSWER'; text: string } | { type: 'CLOSE' },
  },
  actors: {
    findAgent: fromPromise(async ({ input }: { input: { subject: string } }) => `agent for ${input.subject}`),
  },
  actions: {
    notify: (_, params: { text: string }) => console.log(params.text),
  },
}).createMachine({
  id: 'ticket',
  context: ({ input }) => ({ subject: input.subject, agent: null }),
  initial: 'assigning',
  states: {
    assigning: {
      invoke: {
        src: 'findAgent',
        input: ({ context }) => ({ subject: context.subject }),
        onDone: { target: 'waiting', actions: assign({ agent: ({ event }) => event.output }) },
      },
    },
    waiting: {
      entry: { type: 'notify', params: ({ context }) => ({ text: `${context.agent} has a ticket` }) },
      on: { ANSWER: 'answered', CLOSE: 'closed' },
      after: { 172800000: 'closed' },
    },
    answered: { on: { CLOSE: 'closed' } },
    closed: { type: 'final' },
  },
  output: ({ context }) => ({ agent: context.agent }),
});

export const ticket = durableMachine(machine, {
  id: 'ticket',
  version: '1',
  activities: { notify: { retry: { maxAttempts: 5 } } },
});
