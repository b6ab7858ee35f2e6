import { describe, expect, it } from 'vitest';
import { type Controls, INITIAL_CONTROLS } from '../../../src/cli/live/controls.ts';
import { frame } from '../../../src/cli/live/frame.ts';
import { inputLine } from '../../../src/cli/live/input-line.ts';
import { maxRowWidth } from '../../../src/cli/live/row-text.ts';
import { paint } from '../../../src/cli/terminal/paint.ts';
import { width } from '../../../src/cli/terminal/text.ts';
import { LiveModel } from '../../../src/views/live-model.ts';
import { type Golden, goldenNames, historyEvents, readGolden } from '../../support/golden.ts';

const golden = (name: string): Golden => readGolden(name) as Golden;

const MODELS = new WeakMap<Golden, Map<number, LiveModel>>();

/** The model of a golden log up to an event, cached. */
function modelOf(log: Golden, upTo: number): LiveModel {
  const models = MODELS.get(log) ?? new Map<number, LiveModel>();
  MODELS.set(log, models);
  const known = models.get(upTo);
  if (known !== undefined) return known;
  const { document, events } = log;
  const given = document.nodes as { id: string }[] | Readonly<Record<string, { id: string }>>;
  const nodes = Array.isArray(given) ? Object.fromEntries(given.map((node) => [node.id, node])) : given;
  const model = new LiveModel({ ...document, nodes } as typeof document);
  for (const event of historyEvents(events)) if (event.sequence <= upTo) model.apply(event);
  models.set(upTo, model);
  return model;
}

/** The screen for a golden log up to an event, some seconds later. */
function screen(
  log: Golden,
  {
    upTo = Number.POSITIVE_INFINITY,
    laterMs = 3_000,
    rows = 20,
    columns = 80,
    controls = INITIAL_CONTROLS,
    connectionProblem = '',
    colours = false,
    liveText = null,
  }: {
    readonly upTo?: number;
    readonly laterMs?: number;
    readonly rows?: number;
    readonly columns?: number;
    readonly controls?: Controls;
    readonly connectionProblem?: string;
    readonly colours?: boolean;
    readonly liveText?: string | null;
  } = {},
): readonly string[] {
  const model = modelOf(log, upTo);
  const { document, events } = log;
  const shownEvents = events.filter(({ sequence }) => sequence <= upTo);
  const execution = { id: 'exec_1', workflow: String(document.workflow_id), version: '1', startedAtMs: events[0]?.at_ms ?? 0 };
  const { defaultRow, ended, overlay } = model;
  const state = {
    execution,
    model,
    controls,
    defaultRow,
    maxRowWidth: maxRowWidth(model.rows),
    endedAtMs: ended ? overlay.atMs : null,
    connectionProblem,
  };
  return frame(
    state,
    { rows, columns },
    { paint: paint(colours), nowMs: (shownEvents.at(-1)?.at_ms ?? 0) + laterMs, spinner: '▸', liveTextOf: () => liveText },
  );
}

/** Removes the lines of events, which contain local times. */
const outlined = (lines: readonly string[]) => lines.filter((line) => !/^\d\d:\d\d:\d\d/.test(line)).join('\n');

describe('the screen', () => {
  it('shows branches, joins and the approval question', () => {
    expect(outlined(screen(golden('approval-pending'), { upTo: 10 }))).toMatchInlineSnapshot(`
      "approval-pending 1  paused  5 s
      exec_1  10 events

       ✓ = split
      ›  ◆ a a    waiting for approval  5 s
         ◆ a b    waiting for approval  5 s
         ✓ f c    7 ms
       · > all    waits for all

      ◆ a: Decide a
      ◆ b: Decide b


      ↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit"
    `);
  });

  it('counts the iterations of a loop', () => {
    expect(outlined(screen(golden('loop-of-three-rounds'), { upTo: 24 }))).toMatchInlineSnapshot(`
      "loop-of-three-rounds 1  running  11 s
      exec_1  24 events

       ✓ f ↺ draft  7 ms  1 retry  ↺ iteration 3
       ✓ f review   7 ms  ↺ iteration 3
      ›▹ f publish  waiting for a worker of queue tool  4 s


      ↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit"
    `);
  });

  it('counts the items of a list, also when all have ended', () => {
    const row = (upTo: number) => screen(golden('map'), { upTo }).find((line) => line.includes('* m'));
    expect(row(2)).toBe('›▸ * m      running  3 s  0 of 3');
    expect(row(Number.POSITIVE_INFINITY)).toBe(' ✓ * m      7 s  3 of 3, 1 failed');
  });

  it('counts down to the next attempt', () => {
    const log = golden('retry-with-backoff');
    const upTo = log.events.find(({ type }) => type === 'retry_scheduled')?.sequence ?? 0;
    expect(outlined(screen(log, { upTo, laterMs: 1_000 }))).toMatchInlineSnapshot(`
      "retry-with-backoff 1  running  3 s
      exec_1  5 events

      ›↻ f a  attempt 1 in 5.3 s  one











      ↑↓ ⏎ details  a approve  r reject  e event  p pause  u resume  c cancel  q quit"
    `);
  });

  it('shows the progress of the attempt that runs', () => {
    const lines = screen(golden('retry-with-backoff'), { upTo: 3, liveText: '▰▰▰▰▱▱▱▱▱▱ 40 % · row 4' });
    expect(lines.find((line) => line.includes(' a '))).toContain('▸ f a  ▰▰▰▰▱▱▱▱▱▱ 40 % · row 4  4 s');
  });

  it('shows a suspension and its reason', () => {
    const log = golden('pause-and-resume');
    const upTo = log.events.find(({ type }) => type === 'workflow_paused')?.sequence ?? 0;
    expect(screen(log, { upTo })[0]).toMatch(/ suspended/);
  });

  it('reserves the bottom two lines for the prompt and the keys', () => {
    const mode: Controls['mode'] = { type: 'typing', purpose: { type: 'payload', key: 'paid' }, line: inputLine('{"n":1}') };
    const lines = screen(golden('approval-pending'), { controls: { ...INITIAL_CONTROLS, mode, notice: 'not JSON' } });
    expect(lines.slice(-2)).toEqual(['? Payload of paid, JSON (⏎ {}): {"n":1}▌  not JSON', '⏎ continue  esc cancel']);
  });

  it('shows that the server is unreachable', () => {
    expect(screen(golden('approval-pending'), { connectionProblem: 'lost it' }).slice(0, 3)).toContain('! lost it');
  });

  it('shows the details of the selected node', () => {
    const controls: Controls = { selected: 0, mode: { type: 'reading', from: 0 }, notice: '' };
    const text = screen(golden('loop-of-three-rounds'), { controls, rows: 40 }).join('\n');
    expect(text).toMatch(
      /Visit 2 [\s\S]* {2}attempt 0 {2}✗ failed .*\n {4}error {5}boom\n[\s\S]* {4}output {4}\{"text":"three"\}\n/,
    );
    expect(text).toMatch(/\n\nDefinition\n/);
  });

  it('says with which error of which node an execution failed', () => {
    const lines = screen(golden('crossing-with-failure'));
    expect(lines).toContain('b: boom');
    expect(lines.join('\n')).not.toContain('terminally');
  });

  it('wraps details without losing text, however narrow the terminal', () => {
    const controls: Controls = { selected: 0, mode: { type: 'reading', from: 0 }, notice: '' };
    const log = golden('approval-pending');
    const question = `${'Shall we? '.repeat(20)}Really?`;
    const events = log.events
      .filter(({ sequence }) => sequence <= 10)
      .map((event) => (event.type === 'interrupt_raised' ? { ...event, data: { ...event.data, description: question } } : event));
    const asked = { ...log, events } as Golden;
    const text = screen(asked, { controls: { ...controls, selected: 1 }, rows: 100, columns: 40 }).join('\n');
    expect(text).toContain('Really?');
    expect(text.split('Shall we?')).toHaveLength(21);
    const wrapped = screen(asked, { rows: 24, columns: 40 });
    expect(wrapped.filter((line) => line.includes('Shall we?')).length).toBeGreaterThan(3);
    expect(wrapped.filter((line) => line.endsWith('…')).length).toBeGreaterThan(0);
  });

  it.each(goldenNames())('fits terminals of any size with %s', (name) => {
    const log = readGolden(name);
    if (log === null || !('events' in log)) return;
    for (const rows of [1, 8, 12, 60])
      for (const columns of [1, 40, 200])
        for (const mode of [INITIAL_CONTROLS.mode, { type: 'reading', from: 0 }] as const) {
          const lines = screen(log as Golden, { rows, columns, colours: true, controls: { ...INITIAL_CONTROLS, mode } });
          expect(lines.length).toBe(rows);
          for (const line of lines) expect(width(line)).toBeLessThanOrEqual(columns);
        }
  });
});
