import { oneLine } from '../../../machines/views/text.ts';
import styles from './multiline.module.css';

/** Longer texts are cut to their end: what was written last. */
const MAX_SHOWN = 50_000;
const MAX_LINE = 2_000;

interface Props {
  /** Text of users. */
  readonly text: string;
  readonly label: string;
  /** As prose, which breaks between words, instead of as code. */
  readonly prose?: boolean;
}

/** Text of users with its lines: control characters are visible, and it cannot change the direction of what stands beside it. */
export function Multiline({ text, label, prose = false }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className={prose ? styles.prose : styles.code} tabIndex={0} aria-label={label}>
      {shownLines(text)}
    </section>
  );
}

/** The lines of a text of users, as they may be shown. */
export function shownLines(text: string): string {
  const isCut = text.length > MAX_SHOWN;
  const lines = (isCut ? text.slice(-MAX_SHOWN) : text).split('\n');
  const shown = lines.map((line) => (/^[ \t]*/.exec(line)?.[0] ?? '') + oneLine(line, MAX_LINE)).join('\n');
  return isCut ? `… ${shown}` : shown;
}
