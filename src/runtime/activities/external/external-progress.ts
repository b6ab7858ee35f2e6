import type { Json } from '../../../../machines/json.ts';
import { ChurnMap } from '../../../../store/churn-map.ts';
import type { EventRow } from '../../../../store/port/executions.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import type { Progress } from '../../../executors/tool-context/progress.ts';
import type { RuntimeContext } from '../../context.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import { redactorAt } from '../../redaction/shown-run.ts';
import { visitOf } from '../../timers/timer-queue.ts';
import type { LiveText, LiveTexts } from '../local/live-texts.ts';

/** Events of a node after which its attempt is over. */
const ENDS: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_cancelled', 'node_skipped']);

export interface ExternalProgressOptions extends Pick<RuntimeContext, 'clock'> {
  readonly loader: ExecutionLoader;
  readonly texts: LiveTexts;
  /** A worker that has not reported for this long is no longer heard of. */
  readonly goneMs: number;
}

/** What external workers say of the progress of their items, shown like that of tools in process. */
export class ExternalProgress {
  readonly #options: ExternalProgressOptions;
  /** By execution: what is shown, with how to cancel its expiry. */
  readonly #shown = new ChurnMap<string, Map<LiveText, () => void>>();

  constructor(options: ExternalProgressOptions) {
    this.#options = options;
  }

  /** Ends what is shown of attempts that the committed events end. */
  committed({ id, completedAtMs }: CachedExecution, events: readonly EventRow[]): void {
    const shown = this.#shown.get(id);
    if (shown === undefined) return;
    const ended = new Set(events.filter(({ type }) => ENDS.has(type)).map(({ nodeId, data }) => keyOf(nodeId, data.item)));
    for (const live of shown.keys()) {
      const { node, item } = live.source;
      if (completedAtMs !== null || ended.has(keyOf(node, item))) this.#end(live);
    }
  }

  async report(item: WorkItemRow, { fraction, text }: Progress): Promise<void> {
    const { loader, texts, clock, goneMs } = this.#options;
    const execution = text === null ? null : await loader.current(item.executionId);
    const redactor = execution === null ? null : redactorAt(execution.loaded.program, execution.run, item.nodeId);
    const { tenantId, executionId } = item;
    const source = { tenantId, executionId, ...visitOf(item) };
    const live = texts.find(source) ?? texts.open(source, false);
    texts.setProgress(live, { fraction, text: text === null ? null : (redactor?.text(text) ?? text) });
    const shown = this.#shown.get(executionId) ?? new Map<LiveText, () => void>();
    shown.get(live)?.();
    shown.set(
      live,
      clock.after(goneMs, () => this.#end(live)),
    );
    this.#shown.set(executionId, shown);
  }

  #end(live: LiveText): void {
    const { executionId } = live.source;
    const shown = this.#shown.get(executionId);
    shown?.get(live)?.();
    shown?.delete(live);
    if (shown?.size === 0) this.#shown.delete(executionId);
    this.#options.texts.end(live);
  }
}

function keyOf(node: string | null, item: Json | undefined): string {
  return item === undefined ? `${node}` : `${node}\n${item}`;
}
