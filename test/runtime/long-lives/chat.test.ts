import { expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import { durable } from '../../../src/index.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { follower, live, openLife, TIMEOUT_MS, TURNS } from './lives.ts';

const TURNS_PER_SEGMENT = 25;
const SECS_BETWEEN = 900;
/** A thread has at most 100,000 messages. */
const TURNS_PER_THREAD = 40_000;

/** Two nodes a turn. */
const CHAT: JsonObject = {
  workflow_id: 'chat',
  version: '1',
  start_node: 'ask',
  continue_as_new: { after_steps: 2 * TURNS_PER_SEGMENT, at: 'ask' },
  nodes: {
    ask: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'said', output_key: 'said' } },
    talk: {
      kind: {
        type: 'model',
        model_ref: 'gpt-4o',
        thread: '{{ state.said.thread }}',
        max_messages: 20,
        prompt: '{{ state.said.text }}',
        output_key: 'answer',
      },
    },
  },
  edges: [
    { from: 'ask', to: 'talk' },
    { from: 'talk', to: 'ask' },
  ],
};

const said = (n: number) => ({ text: `Question ${1_000_000 + n}`, thread: `talk-${Math.floor(n / TURNS_PER_THREAD)}` });

it('a chat with a thread lives as long as it is let, by the id of its first segment', { timeout: TIMEOUT_MS }, async () => {
  const opened = await openLife({ models: { script: readScript(['Yes, of course.']) } });
  const { runtime, clock } = opened;
  const id = await opened.run(CHAT, {});
  const resting = follower(opened, id);
  await resting();
  await live(opened, {
    name: 'chat',
    turns: TURNS,
    turnsPerSegment: TURNS_PER_SEGMENT,
    async turn(n) {
      clock.advance(SECS_BETWEEN * 1_000);
      expect(await runtime.sendEvent(CALLER, id, { key: 'said', payload: said(n) })).toMatchObject({ matched: true });
      return resting();
    },
  });
  const { messages } = await runtime.threads.messages('default', said(TURNS - 1).thread, { order: 'desc', limit: 2 });
  expect(messages.map(({ content }) => content)).toEqual(['Yes, of course.', said(TURNS - 1).text]);
  await expect(runtime.execution('default', id)).rejects.toMatchObject({ code: 'not_found' });
});

it('a chat in a durable function lives as long as it is let', { timeout: TIMEOUT_MS }, async () => {
  const replies: string[] = [];
  const chat = durable({
    id: 'chat',
    version: '1',
    run: async (ctx) => {
      for (let turn = 0; turn < TURNS_PER_SEGMENT; turn += 1) {
        const said = await ctx.event<{ readonly text: string }>('said');
        await ctx.step('reply', () => replies.push(`${said?.text}: yes`));
      }
      return ctx.continueAsNew({});
    },
  });
  const opened = await openLife({ tools: chat.tools });
  const { runtime, clock } = opened;
  const id = await opened.run(chat.document, {});
  const resting = follower(opened, id);
  await resting();
  await live(opened, {
    name: 'chat in a durable function',
    turns: TURNS,
    turnsPerSegment: TURNS_PER_SEGMENT,
    async turn(n) {
      clock.advance(SECS_BETWEEN * 1_000);
      await runtime.sendEvent(CALLER, id, { key: 'said', payload: said(n) });
      await eventually(() => replies.length > 0);
      expect(replies.splice(0)).toEqual([`${said(n).text}: yes`]);
      return resting();
    },
  });
});
