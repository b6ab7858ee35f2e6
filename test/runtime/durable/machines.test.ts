import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AnyActor, createActor, SimulatedClock } from 'xstate';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { durableMachine } from '../../../src/index.ts';
import type { ExecutionView } from '../../../src/runtime/types/executions.ts';
import { FakeClock } from '../../support/clock.ts';
import { someOf } from '../../support/properties.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { EXAMPLES, type Example, type Happening } from '../../support/state-machines.ts';

/** What XState's own actor comes to: its persisted snapshot before the first happening and after each, what it has called, and what it has emitted. */
interface Course {
  readonly snapshots: readonly JsonObject[];
  readonly calls: readonly string[];
  readonly emitted: readonly Json[];
}

async function courseInXState({ machine, input, happens }: Example): Promise<Course> {
  const calls: string[] = [];
  const emitted: Json[] = [];
  const clock = new SimulatedClock();
  const actor: AnyActor = createActor(
    machine((call) => calls.push(call)),
    { input, clock, logger: () => {} },
  );
  actor.subscribe({ error: () => {} });
  actor.on('*', (event) => emitted.push(plain(event)));
  actor.start();
  const snapshots = [await quiet(actor)];
  for (const happening of happens) {
    if ('send' in happening) actor.send(happening.send);
    else clock.increment(happening.wait);
    snapshots.push(await quiet(actor));
  }
  actor.stop();
  return { snapshots, calls, emitted };
}

async function quiet(actor: AnyActor): Promise<JsonObject> {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  return plain(actor.getPersistedSnapshot()) as JsonObject;
}

/** As JSON. Errors are compared by their messages where the machines keep them. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value, (key, part) => (key === 'error' ? undefined : part))) as Json;
}

class DurableCourse {
  readonly calls: string[] = [];
  readonly #definition: ReturnType<typeof durableMachine>;
  readonly #options: Parameters<typeof openTestRuntime>[0];
  #opened: TestRuntime | null = null;
  #id = '';

  constructor({ machine }: Example, liveFunctions: number) {
    this.#definition = durableMachine(
      machine((call) => this.calls.push(call)),
      { id: 'm' },
    ) as never;
    this.#options = { tools: this.#definition.tools, liveFunctions };
  }

  get opened(): TestRuntime {
    if (this.#opened === null) throw new Error('not started');
    return this.#opened;
  }

  async start(input: Json = {}): Promise<void> {
    this.#opened = await openTestRuntime(this.#options);
    this.#id = await this.opened.run(this.#definition.document, input);
  }

  async open(path: string, id: string, nowMs: number): Promise<void> {
    this.#id = id;
    this.#opened = await openTestRuntime({ ...this.#options, path, clock: new FakeClock(nowMs) });
  }

  get id(): string {
    return this.#id;
  }

  view(): Promise<ExecutionView> {
    return this.opened.runtime.execution('default', this.#id);
  }

  async happen(happening: Happening): Promise<void> {
    if ('wait' in happening) this.opened.clock.advance(happening.wait);
    else {
      const { type, ...payload } = happening.send;
      await this.opened.runtime.sendEvent(CALLER, this.#id, { key: type, payload: payload as Json });
    }
  }

  /** Waits until the execution rests with this snapshot. */
  async reaches(snapshot: JsonObject): Promise<void> {
    let last: unknown = null;
    await eventually(async () => {
      const { state, status } = await this.view();
      const [event] = (await this.opened.log(this.#id)).slice(-1);
      last = { state: plain(state), status, event: event?.type };
      const isAtRest =
        event?.type === 'function_parked' ||
        (event?.type === 'external_event_received' && status !== 'running') ||
        status === 'completed' ||
        status === 'failed';
      return isAtRest && isDeepStrictEqual(plain(state), snapshot);
    }).catch(() => expect(last).toEqual({ state: snapshot }));
  }

  async crash(): Promise<void> {
    const { path, clock, errors, close } = this.opened;
    const copy = crashCopy(path);
    await close();
    expect(errors).toEqual([]);
    this.#opened = await openTestRuntime({ ...this.#options, path: copy, clock });
  }

  async emitted(): Promise<Json[]> {
    const events = await this.opened.log(this.#id);
    return events.flatMap(({ type, data }) => (type === 'machine_transitioned' ? ((data.emitted ?? []) as Json[]) : []));
  }

  async finish(): Promise<void> {
    expect(this.opened.errors).toEqual([]);
    await this.opened.close();
    expect(await replayAll(this.opened.path)).toMatchObject({ differing: [] });
  }
}

const STATUS: Readonly<Record<string, string>> = { done: 'completed', error: 'failed' };

async function play(example: Example, liveFunctions: number, crashes: boolean): Promise<void> {
  const reference = await courseInXState(example);
  const course = new DurableCourse(example, liveFunctions);
  await course.start(example.input);
  const [first, ...rest] = reference.snapshots;
  await course.reaches(first as JsonObject);
  for (const [index, happening] of example.happens.entries()) {
    if (crashes) await course.crash();
    await course.happen(happening);
    await course.reaches(rest[index] as JsonObject);
  }
  if (crashes) await course.crash();
  const { status, state } = await course.view();
  const end = STATUS[String((state as JsonObject).status)];
  if (end !== undefined) expect(status).toBe(end);
  expect(course.calls).toEqual(reference.calls);
  expect(await course.emitted()).toEqual(reference.emitted);
  await course.finish();
}

describe('a state machine as a workflow', () => {
  it.each(EXAMPLES)('comes to the snapshots of an XState actor: $name', (example) => play(example, 1_000, false));

  it.each(someOf(EXAMPLES))('does so when it leaves the memory at every wait: $name', (example) => play(example, 0, false));

  it.each(someOf(EXAMPLES, 4))('does so through a crash at every event: $name', (example) => play(example, 1_000, true));
});

/** The machines whose every moment is tried, each with a crash at any commit. */
const EVERY_COMMIT = EXAMPLES.filter(({ name }) => /checkout|tried again|answers its parent|cancelled$|side by side/.test(name));

describe('a crash at any commit of a state machine', () => {
  it.each(someOf(EVERY_COMMIT))('changes nothing: $name', async (example) => {
    const { snapshots } = await courseInXState(example);
    const course = new DurableCourse(example, 1_000);
    await course.start(example.input);
    const { path, clock } = course.opened;
    const moments = new Map<number, { readonly copy: string; readonly happened: number; readonly nowMs: number }>();
    const note = async (happened: number): Promise<void> => {
      const length = (await course.opened.log(course.id)).length;
      if (!moments.has(length)) moments.set(length, { copy: crashCopy(path), happened, nowMs: clock.nowMs() });
    };
    for (let happened = 0; happened <= example.happens.length; happened += 1) {
      const next = example.happens[happened - 1];
      if (next !== undefined) await course.happen(next);
      for (let turns = 0; turns < 60; turns += 1) {
        await note(happened);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await course.reaches(snapshots[happened] as JsonObject);
    }
    await course.finish();
    expect(moments.size).toBeGreaterThan(example.happens.length + 2);
    for (const { copy, happened, nowMs } of moments.values()) {
      const again = new DurableCourse(example, 1_000);
      await again.open(copy, course.id, nowMs);
      await again.reaches(snapshots[happened] as JsonObject);
      for (const [index, happening] of example.happens.entries()) {
        if (index < happened) continue;
        await again.happen(happening);
        await again.reaches(snapshots[index + 1] as JsonObject);
      }
      await again.finish();
    }
  });
});
