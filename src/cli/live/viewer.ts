import { ApiError, type JamjetClient, Unreachable } from '../../client.ts';
import type { Context, Interrupt } from '../context.ts';
import { pause } from '../pause.ts';
import { FullScreen } from '../terminal/full-screen.ts';
import type { Key } from '../terminal/keyboard.ts';
import { paintFor } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { AT_FIRST, type Controls, type Deed, press } from './controls.ts';
import { detailsBottom, frame, type Scene, type Subject } from './frame.ts';
import type { LiveModel } from './model.ts';
import { type Brush, widestOf } from './row-text.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Between frames while nothing happens: ages go on. */
const TICK_MS = 250;
/** Events that come together are drawn together. */
const GATHER_MS = 30;
/** Before a server that is gone is asked again. */
const RETRY_MS = 1_000;

export type Farewell = 'left' | 'interrupted';

export interface Viewing {
  readonly client: JamjetClient;
  readonly context: Context;
  readonly subject: Subject;
  readonly model: LiveModel;
  readonly interrupt: Interrupt;
}

/** An execution on the whole terminal, until the person leaves. A server that goes away meanwhile is waited for. */
export class Viewer {
  readonly #viewing: Viewing;
  readonly #widest: number;
  readonly #brushPaint: Brush['paint'];
  readonly #stop = new AbortController();
  #controls: Controls = AT_FIRST;
  #trouble = '';
  #screen: FullScreen | null = null;
  #gathering: NodeJS.Timeout | null = null;
  #ticks = 0;

  constructor(viewing: Viewing) {
    this.#viewing = viewing;
    this.#widest = widestOf(viewing.model.rows);
    this.#brushPaint = paintFor(viewing.context.stdout, viewing.context.env);
  }

  /** Rejects with what the server refuses, or with what went wrong here. The terminal is as it was before, whatever happens. */
  async run(): Promise<Farewell> {
    const { context, interrupt } = this.#viewing;
    const onInterrupt = () => this.#stop.abort('interrupted' satisfies Farewell);
    interrupt.signal.addEventListener('abort', onInterrupt, { once: true });
    if (interrupt.signal.aborted) return 'interrupted';
    this.#screen = new FullScreen(context, {
      onKey: (key) => this.#guard(() => this.#press(key)),
      onResize: () => this.#guard(() => this.#draw()),
      onEnd: () => this.#stop.abort('left' satisfies Farewell),
    });
    const ticker = setInterval(() => this.#guard(() => this.#tick()), TICK_MS);
    try {
      this.#draw();
      await Promise.race([this.#follow(), stopped(this.#stop.signal)]);
      await stopped(this.#stop.signal);
      const { reason } = this.#stop.signal;
      if (reason === 'left' || reason === 'interrupted') return reason;
      throw reason;
    } finally {
      clearInterval(ticker);
      if (this.#gathering !== null) clearTimeout(this.#gathering);
      interrupt.signal.removeEventListener('abort', onInterrupt);
      this.#screen.close();
      // The stream of events need not outlive the screen.
      this.#stop.abort('left' satisfies Farewell);
    }
  }

  /** The events of the execution to its end. */
  async #follow(): Promise<void> {
    const { client, subject, model } = this.#viewing;
    const { signal } = this.#stop;
    for (let after = 0; ; ) {
      try {
        for await (const event of client.live.execution(subject.id, { after, signal })) {
          after = event.sequence;
          this.#trouble = '';
          model.apply(event);
          this.#gather();
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) throw error;
        await this.#reconnect();
      }
    }
  }

  /** Resolves when the server answers again, or nobody waits for that any more. */
  async #reconnect(): Promise<void> {
    const { client, subject } = this.#viewing;
    const { signal } = this.#stop;
    this.#trouble = `lost ${client.url}: trying again`;
    this.#gather();
    while (!signal.aborted) {
      try {
        await pause(RETRY_MS, signal);
        await client.execution(subject.id, { signal });
        this.#trouble = '';
        this.#gather();
        return;
      } catch (error) {
        if (!signal.aborted && !isPassing(error)) throw error;
      }
    }
  }

  #press(key: Key): void {
    const { model } = this.#viewing;
    const { size } = this.#open();
    const { controls, deed } = press(this.#controls, key, {
      nodes: model.rows.map(({ node }) => node),
      current: this.#current(),
      approvals: model.approvals.map(({ node }) => node),
      awaited: model.awaited,
      held: model.held,
      over: model.over,
      page: Math.max(1, Math.floor(size.rows / 2)),
      bottom: this.#controls.mode.is === 'reading' ? detailsBottom(this.#scene(), size, this.#brush()) : 0,
    });
    this.#controls = controls;
    if (deed?.do === 'leave') this.#stop.abort('left' satisfies Farewell);
    else if (deed?.do === 'interrupt') this.#viewing.interrupt.raise();
    else if (deed !== null) void this.#perform(deed);
    this.#draw();
  }

  async #perform(deed: Exclude<Deed, { readonly do: 'leave' | 'interrupt' }>): Promise<void> {
    this.#say('…');
    try {
      this.#say(await this.#done(deed));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (error instanceof ApiError || error instanceof Unreachable) this.#say(error.message);
      else this.#stop.abort(error);
    }
  }

  /** Resolves to what came of it. */
  async #done(deed: Exclude<Deed, { readonly do: 'leave' | 'interrupt' }>): Promise<string> {
    const { client, subject } = this.#viewing;
    const { id } = subject;
    const options = { signal: this.#stop.signal };
    switch (deed.do) {
      case 'decide': {
        const { node, decision, comment } = deed;
        await client.approve(id, { decision, node_id: node, ...(comment === '' ? {} : { comment }) }, options);
        return `${decision}: ${node}`;
      }
      case 'send': {
        const { node_id } = await client.sendEvent(id, { key: deed.key, payload: deed.payload }, options);
        return node_id === null ? `${deed.key} is kept until a node waits for it` : `${deed.key} woke ${node_id}`;
      }
      case 'pause':
        await client.pause(id, undefined, options);
        return 'held: nothing new begins until it is resumed';
      case 'resume':
        await client.resume(id, {}, options);
        return 'resumed';
      case 'cancel':
        await client.cancel(id, undefined, options);
        return 'cancelled';
      default: {
        const unhandled: never = deed;
        throw new TypeError(`unhandled deed ${JSON.stringify(unhandled)}`);
      }
    }
  }

  #say(notice: string): void {
    this.#controls = { ...this.#controls, notice };
    this.#gather();
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#guard(() => this.#draw());
    }, GATHER_MS);
  }

  #tick(): void {
    this.#ticks++;
    this.#draw();
  }

  #draw(): void {
    if (this.#stop.signal.aborted) return;
    const screen = this.#open();
    screen.draw(frame(this.#scene(), screen.size, this.#brush()));
  }

  #scene(): Scene {
    const { subject, model } = this.#viewing;
    const { over, marks } = model;
    return {
      subject,
      model,
      controls: this.#controls,
      current: this.#current(),
      widest: this.#widest,
      endedMs: over ? marks.atMs : null,
      trouble: plain(this.#trouble),
    };
  }

  #brush(): Brush {
    return { paint: this.#brushPaint, nowMs: Date.now(), spinner: FRAMES[this.#ticks % FRAMES.length] ?? '' };
  }

  #current(): number {
    return this.#viewing.model.current;
  }

  #open(): FullScreen {
    if (this.#screen === null) throw new TypeError('the screen is not open');
    return this.#screen;
  }

  /** An error in what a key or a clock sets off ends the view, and is told when the terminal is as it was. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#stop.abort(error);
    }
  }
}

/** May it be otherwise in a moment? */
function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && error.status >= 500);
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
