import { useRef, useState } from 'react';
import { Button } from '../../../components/button.tsx';
import { Empty } from '../../../components/empty.tsx';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import type { TimeRange } from './time-scale.ts';
import styles from './timeline.module.css';
import { TimelineChart } from './timeline-chart.tsx';

const ZOOM = 1.6;

/** What each node did when, on a time axis that can be zoomed. */
export function TimelineTab() {
  const { log } = useExecutionView();
  useLogVersion(log, 'spans');
  const [range, setRange] = useState<TimeRange | null>(null);
  const shown = useRef<TimeRange | null>(null);
  const zoom = (factor: number): void => {
    if (shown.current === null) return;
    const { fromMs, toMs } = shown.current;
    const middle = (fromMs + toMs) / 2;
    const half = ((toMs - fromMs) * factor) / 2;
    setRange({ fromMs: middle - half, toMs: middle + half });
  };
  if (log.spans.startMs === null || log.spans.rows.length === 0)
    return <Empty title={log.spans.startMs === null ? 'Waiting for the first event' : 'No node has begun yet'} />;
  return (
    <div className={styles.timeline}>
      <div className={styles.zoom}>
        <Button kind="quiet" aria-label="Zoom out" onClick={() => zoom(ZOOM)}>
          −
        </Button>
        <Button kind="quiet" aria-label="Zoom in" onClick={() => zoom(1 / ZOOM)}>
          +
        </Button>
        <Button kind="quiet" disabled={range === null} onClick={() => setRange(null)}>
          Fit
        </Button>
      </div>
      <TimelineChart range={range} setRange={setRange} shown={shown} />
      <Legend />
      {log.spans.rows.some(({ omitted }) => omitted > 0) && (
        <p className={styles.omitted}>Of nodes that were visited very often, the oldest attempts are left out.</p>
      )}
    </div>
  );
}

const LEGEND = [
  ['running', 'running'],
  ['completed', 'done'],
  ['failed', 'failed'],
  ['retrying', 'retry wait'],
  ['paused', 'waits'],
  ['held', 'held'],
  ['cancelled', 'queued, skipped'],
] as const;

function Legend() {
  return (
    <ul className={styles.legend} aria-label="Colours">
      {LEGEND.map(([tone, text]) => (
        <li key={tone} className={styles[tone]}>
          {text}
        </li>
      ))}
    </ul>
  );
}
