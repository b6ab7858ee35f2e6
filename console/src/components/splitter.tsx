import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import styles from './splitter.module.css';

const MIN = 15;
const MAX = 85;
const STEP = 4;

interface Props {
  readonly label: string;
  /** `vertical`: a line between a left and a right part. */
  readonly orientation: 'vertical' | 'horizontal';
  /** Percentage of the first part. */
  readonly value: number;
  readonly onChange: (value: number) => void;
}

/** A line that can be dragged, or moved by arrow keys, to share the room between two parts of its parent. */
export function Splitter({ label, orientation, value, onChange }: Props) {
  const set = (next: number): void => onChange(Math.min(MAX, Math.max(MIN, next)));
  const drag = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (box === undefined || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const part = orientation === 'vertical' ? (event.clientX - box.left) / box.width : (event.clientY - box.top) / box.height;
    set(part * 100);
  };
  const press = (event: KeyboardEvent<HTMLElement>): void => {
    const by = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    set(value + by);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule that can be moved is no <hr>
    <div
      className={styles.splitter}
      role="separator"
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={Math.round(value)}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    />
  );
}

/** A percentage that is remembered on this machine. */
export function useSplit(name: string, initial: number): [number, (value: number) => void] {
  const key = `jamjet.split.${name}`;
  const [value, setValue] = useState(() => {
    const stored = Number(localStorage.getItem(key) ?? Number.NaN);
    return stored >= MIN && stored <= MAX ? stored : initial;
  });
  return [
    value,
    (next) => {
      localStorage.setItem(key, String(next));
      setValue(next);
    },
  ];
}
