import { durable, durableMachine } from 'jamjet-runtime';
import { fromPromise, setup } from 'xstate';

// Tools and functions that leave something unhandled. Most would never return.

const never = () => new Promise(() => {});
const soon = (run) => void setTimeout(run, 1);
const forGood = (message) => Object.assign(new Error(message), { retryable: false });

export const ok = () => 'fine';

export const rejects = () => {
  Promise.reject(forGood('lost at once'));
  return never();
};

export const rejectsLater = () => {
  soon(async () => {
    throw new Error('lost later');
  });
  return never();
};

export const throws = () => {
  soon(() => {
    throw forGood('thrown later');
  });
  return never();
};

export const tooLate = () => {
  setTimeout(() => Promise.reject(new Error('lost too late')), 500);
  return 'done';
};

export const inStep = durable({ id: 'in-step', version: '1', run: (ctx) => ctx.step('lose', rejects) });

export const whileParked = durable({
  id: 'while-parked',
  version: '1',
  run: async (ctx) => {
    setTimeout(() => Promise.reject(forGood('lost while it waits')), 500);
    await ctx.sleep('1h');
  },
});

export const losing = durableMachine(
  setup({ actors: { lose: fromPromise(rejectsLater) } }).createMachine({
    initial: 'a',
    states: { a: { invoke: { src: 'lose' } } },
  }),
  { id: 'losing', version: '1' },
);

/** What the module itself does belongs to no attempt. */
let isAsked = false;
setInterval(() => {
  if (isAsked) Promise.reject(new Error('lost by the module'));
  isAsked = false;
}, 20).unref();

export const asksModule = () => {
  isAsked = true;
  return 'asked';
};
