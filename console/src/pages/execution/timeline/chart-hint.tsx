import type { Span, SpanMark } from '../../../../../src/views/spans.ts';
import { Name } from '../../../components/name.tsx';
import { AXIS_HEIGHT } from './draw-timeline.ts';
import { spanDuration, spanTitle } from './span-texts.ts';
import styles from './timeline.module.css';

/** A bar or a mark under the pointer or the keyboard's cursor, and where. */
export interface Hint {
  readonly x: number;
  readonly y: number;
  readonly span: Span | null;
  readonly mark: SpanMark | null;
}

export function HintBox({ hint, nowMs, width }: { readonly hint: Hint; readonly nowMs: number; readonly width: number }) {
  const { span, mark } = hint;
  return (
    <div
      className={styles.hint}
      role="status"
      style={{ top: hint.y + AXIS_HEIGHT + 18, left: Math.max(4, Math.min(hint.x, width - 260)) }}
    >
      {mark !== null && <Name text={mark.text} maxChars={300} />}
      {span !== null && (
        <>
          <strong>{spanTitle(span)}</strong>
          <span>{spanDuration(span, nowMs)}</span>
          {span.error !== undefined && (
            <span className={styles.failure}>
              <Name text={span.error} maxChars={300} />
            </span>
          )}
        </>
      )}
    </div>
  );
}
