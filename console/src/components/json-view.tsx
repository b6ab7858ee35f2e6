import { useMemo } from 'react';
import type { Json } from '../../../machines/json.ts';
import { oneLine } from '../../../machines/views/text.ts';
import { CopyButton } from './copy-button.tsx';
import { DownloadButton } from './download-button.tsx';
import styles from './json-view.module.css';

/** Longer texts are cut in the view; copies and downloads have all of them. */
const MAX_TEXT = 2_000;
const MAX_SHOWN = 100_000;

interface Props {
  readonly value: Json;
  /** What the value is, for screen readers and as the name of a downloaded file. */
  readonly label: string;
}

/** A value as indented JSON. Large values are cut, which is said. */
export function JsonView({ value, label }: Props) {
  const { shown, isCut } = useMemo(() => cut(value), [value]);
  const text = (): string => JSON.stringify(value, null, 2);
  return (
    <figure className={styles.view} aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0} dir="ltr">
        {shown}
      </pre>
      <figcaption>
        {isCut && <span>Cut: it is {Math.ceil(text().length / 1_024).toLocaleString()} KiB long.</span>}
        <CopyButton text={text} what={label} />
        {isCut && <DownloadButton content={text} name={`${label}.json`} type="application/json" />}
      </figcaption>
    </figure>
  );
}

function cut(value: Json): { readonly shown: string; readonly isCut: boolean } {
  let isCut = false;
  const short = (each: unknown): unknown => {
    if (typeof each !== 'string' || each.length <= MAX_TEXT) return each;
    isCut = true;
    return `${each.slice(0, MAX_TEXT)}… (${each.length.toLocaleString()} characters)`;
  };
  const text = JSON.stringify(value, (_key, each) => short(each), 2) ?? 'null';
  const lines = text.slice(0, MAX_SHOWN).split('\n');
  // A line keeps its indentation; what could change the direction of writing becomes visible.
  const shown = lines.map((line) => (/^ */.exec(line)?.[0] ?? '') + oneLine(line, MAX_SHOWN)).join('\n');
  return { shown: text.length > MAX_SHOWN ? `${shown}\n…` : shown, isCut: isCut || text.length > MAX_SHOWN };
}
