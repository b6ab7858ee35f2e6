import { ApiError, type JamjetClient, Unreachable } from '../../client/index.ts';
import type { LiveModel } from '../../views/live-model.ts';
import { Reconnector } from '../connection/reconnector.ts';
import { aborted, type Context, type Interrupt } from '../context.ts';
import { LiveAnswers } from '../following/live-answers.ts';
import { FullScreen } from '../terminal/full-screen.ts';
import type { Key } from '../terminal/keyboard.ts';
import { paintFor } from '../terminal/paint.ts';
import { SPINNER_FRAMES } from '../terminal/screen.ts';
import { plain } from '../terminal/text.ts';
import { type Action, type Controls, INITIAL_CONTROLS, press } from './controls.ts';
import { type FrameState, frame, maxDetailScroll, type WatchedExecution } from './frame.ts';
import { maxRowWidth, type Painter } from './row-text.ts';

/** Interval between frames without events, in which ages change. */
const FRAME_MS = 250;
/** Delay before drawing, so that a burst of events is drawn once. */
const DRAW_DELAY_MS = 30;

export type ViewerExit = 'quit' | 'interrupted' | 'continued';

export interface ViewerOptions {
  readonly client: JamjetClient;
  readonly context: Context;
  readonly execution: WatchedExecution;
  readonly model: LiveModel;
  readonly interrupt: Interrupt;
}

/** Shows an execution full screen until the user quits. Reconnects to an unreachable server. */
export class Viewer {
  readonly #options: ViewerOptions;
  readonly #maxRowWidth: number;
  readonly #paint: Painter['paint'];
  readonly #stop = new AbortController();
  readonly #answers: LiveAnswers;
  #controls: Controls = INITIAL_CONTROLS;
  #connectionProblem = '';
  #screen: FullScreen | null = null;
  #drawTimer: NodeJS.Timeout | null = null;
  #ticks = 0;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#answers = new LiveAnswers((id, signal) => options.client.live.updates(id, { signal }));
    this.#maxRowWidth = maxRowWidth(options.model.rows);
    this.#paint = paintFor(options.context.stdout, options.context.env);
  }

  /** Rejects with errors of the server or of the view. The terminal is restored in any case. */
  async run(): Promise<ViewerExit> {
    const { context, interrupt } = this.#options;
    const onInterrupt = () => this.#stop.abort('interrupted' satisfies ViewerExit);
    interrupt.signal.addEventListener('abort', onInterrupt, { once: true });
    if (interrupt.signal.aborted) return 'interrupted';
    this.#screen = new FullScreen(context, {
      onKey: (key) => this.#guard(() => this.#press(key)),
      onResize: () => this.#guard(() => this.#draw()),
      onEnd: () => this.#stop.abort('quit' satisfies ViewerExit),
    });
    const ticker = setInterval(() => this.#guard(() => this.#tick()), FRAME_MS);
    try {
      this.#draw();
      await Promise.race([this.#follow(), aborted(this.#stop.signal)]);
      await aborted(this.#stop.signal);
      const { reason } = this.#stop.signal;
      if (reason === 'quit' || reason === 'interrupted' || reason === 'continued') return reason;
      throw reason;
    } finally {
      clearInterval(ticker);
      if (this.#drawTimer !== null) clearTimeout(this.#drawTimer);
      interrupt.signal.removeEventListener('abort', onInterrupt);
      this.#screen.close();
      // End the event stream.
      this.#stop.abort('quit' satisfies ViewerExit);
    }
  }

  /** Applies the events of the execution until it ends, across outages of the server. */
  async #follow(): Promise<void> {
    const { client, execution, model } = this.#options;
    const { signal } = this.#stop;
    const reconnector = new Reconnector({
      client,
      signal,
      executionId: execution.id,
      onLost: () => this.#showProblem(`lost ${client.url}: reconnecting`),
      onRestored: () => this.#showProblem(''),
    });
    let after = 0;
    const applyEvents = async (): Promise<void> => {
      const over = new AbortController();
      const texts = this.#answers.follow(execution.id, AbortSignal.any([signal, over.signal]));
      try {
        for await (const event of client.live.execution(execution.id, { after, signal })) {
          after = event.sequence;
          model.apply(event);
          this.#answers.apply(execution.id, event);
          this.#scheduleDraw();
        }
      } finally {
        over.abort();
        await texts;
      }
    };
    try {
      await reconnector.retryWhileUnreachable(applyEvents);
      if (model.status !== 'limit_exceeded') return;
      const { next_execution_id: next } = await client.execution(execution.id, { signal });
      if (next !== undefined) this.#stop.abort('continued' satisfies ViewerExit);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #showProblem(problem: string): void {
    this.#connectionProblem = problem;
    this.#scheduleDraw();
  }

  #press(key: Key): void {
    const { model } = this.#options;
    const { dimensions } = this.#openScreen();
    const { controls, action } = press(this.#controls, key, {
      nodes: model.rows.map(({ node }) => node),
      defaultRow: this.#defaultRow(),
      approvals: model.approvals.map(({ node }) => node),
      awaitedEvents: model.awaitedEvents,
      suspended: model.suspended,
      ended: model.ended,
      pageRows: Math.max(1, Math.floor(dimensions.rows / 2)),
      maxScroll: this.#controls.mode.type === 'reading' ? maxDetailScroll(this.#frameState(), dimensions, this.#painter()) : 0,
    });
    this.#controls = controls;
    if (action?.type === 'quit') this.#stop.abort('quit' satisfies ViewerExit);
    else if (action?.type === 'interrupt') this.#options.interrupt.raise();
    else if (action !== null) void this.#perform(action);
    this.#draw();
  }

  async #perform(action: Exclude<Action, { readonly type: 'quit' | 'interrupt' }>): Promise<void> {
    this.#notify('…');
    try {
      this.#notify(await this.#execute(action));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (error instanceof ApiError || error instanceof Unreachable) this.#notify(error.message);
      else this.#stop.abort(error);
    }
  }

  /** Resolves to a message about the result. */
  async #execute(action: Exclude<Action, { readonly type: 'quit' | 'interrupt' }>): Promise<string> {
    const { client, execution } = this.#options;
    const { id } = execution;
    const options = { signal: this.#stop.signal };
    switch (action.type) {
      case 'decide': {
        const { node, decision, comment } = action;
        await client.approve(id, { decision, node_id: node, ...(comment === '' ? {} : { comment }) }, options);
        return `${decision}: ${node}`;
      }
      case 'send': {
        const { node_id, warnings = [] } = await client.sendEvent(id, { key: action.key, payload: action.payload }, options);
        const [warning] = warnings;
        if (warning !== undefined) return warning.message;
        return node_id === null ? `${action.key} is buffered until a node waits for it` : `${action.key} delivered to ${node_id}`;
      }
      case 'pause':
        await client.pause(id, undefined, options);
        return 'suspended: nothing new starts until it is resumed';
      case 'resume':
        await client.resume(id, {}, options);
        return 'resumed';
      case 'cancel':
        await client.cancel(id, undefined, options);
        return 'cancelled';
      default: {
        const unhandled: never = action;
        throw new TypeError(`unhandled action ${JSON.stringify(unhandled)}`);
      }
    }
  }

  #notify(notice: string): void {
    this.#controls = { ...this.#controls, notice };
    this.#scheduleDraw();
  }

  #scheduleDraw(): void {
    this.#drawTimer ??= setTimeout(() => {
      this.#drawTimer = null;
      this.#guard(() => this.#draw());
    }, DRAW_DELAY_MS);
  }

  #tick(): void {
    this.#ticks++;
    this.#draw();
  }

  #draw(): void {
    if (this.#stop.signal.aborted) return;
    const screen = this.#openScreen();
    screen.draw(frame(this.#frameState(), screen.dimensions, this.#painter()));
  }

  #frameState(): FrameState {
    const { execution, model } = this.#options;
    const { ended, overlay } = model;
    return {
      execution,
      model,
      controls: this.#controls,
      defaultRow: this.#defaultRow(),
      maxRowWidth: this.#maxRowWidth,
      endedAtMs: ended ? overlay.atMs : null,
      connectionProblem: plain(this.#connectionProblem),
    };
  }

  #painter(): Painter {
    return {
      paint: this.#paint,
      nowMs: Date.now(),
      spinner: SPINNER_FRAMES[this.#ticks % SPINNER_FRAMES.length] ?? '',
      liveTextOf: (node) => this.#answers.of(this.#options.execution.id, node),
    };
  }

  #defaultRow(): number {
    return this.#options.model.defaultRow;
  }

  #openScreen(): FullScreen {
    if (this.#screen === null) throw new TypeError('the screen is not open');
    return this.#screen;
  }

  /** Closes the view on an error in a callback, so that the error is printed after the terminal is restored. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#stop.abort(error);
    }
  }
}
