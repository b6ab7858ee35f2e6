import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Button } from '../../../components/button.tsx';
import { Name } from '../../../components/name.tsx';
import { useNotices } from '../../../components/notices.tsx';
import { Time } from '../../../components/time.tsx';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './state-tab.module.css';
import { readState } from './use-past-state.ts';

interface Props {
  /** Sequence of the last event. */
  readonly last: number;
}

/** Chooses the event at which the execution is shown: a slider, a number, step by step. The last one follows the log. */
export function PositionControl({ last }: Props) {
  const { id, at, log, setAt } = useExecutionView();
  const { client } = useSession();
  const queries = useQueryClient();
  const position = Math.min(at ?? last, last);
  const event = log.events[position - 1];
  const go = (sequence: number): void => setAt(Math.min(last, Math.max(1, sequence)));
  const step = useStep(go);

  return (
    <fieldset className={styles.position}>
      <legend className="visually-hidden">Point in the log</legend>
      <span className={styles.buttons}>
        <Button
          aria-label="Step before"
          disabled={position <= 1}
          onClick={() =>
            step(async () => {
              const shown = await readState(queries, client, id, position);
              return shown.sequence <= 1 ? 1 : (await readState(queries, client, id, shown.sequence - 1)).sequence;
            })
          }
        >
          ◀
        </Button>
        <Button
          aria-label="Next step"
          disabled={position >= last}
          onClick={() =>
            step(async () => {
              // Within the first step, the state after it is shown.
              const shown = await readState(queries, client, id, position);
              const { snapshots } = await client.history.snapshots(id, { after: Math.max(position, shown.sequence), limit: 1 });
              return snapshots[0]?.sequence ?? last;
            })
          }
        >
          ▶
        </Button>
      </span>
      <input
        type="range"
        min={1}
        max={last}
        value={position}
        aria-label="Event"
        aria-valuetext={event === undefined ? String(position) : `${position}, ${event.type}`}
        onChange={({ target }) => go(Number(target.value))}
      />
      <span className={styles.number}>
        <NumberField position={position} last={last} onGo={go} />
        <span>of {last.toLocaleString()}</span>
        <Button kind="quiet" disabled={at === null} onClick={() => setAt(null)}>
          Now
        </Button>
      </span>
      {event !== undefined && (
        <span className={styles.event}>
          <strong>{event.type}</strong>
          {event.node_id !== null && <Name text={event.node_id} maxChars={80} />}
          <Time at={event.created_at} />
        </span>
      )}
    </fieldset>
  );
}

function NumberField({
  position,
  last,
  onGo,
}: {
  readonly position: number;
  readonly last: number;
  readonly onGo: (sequence: number) => void;
}) {
  /** Null: the field shows the position, which moves with a live execution. */
  const [typed, setTyped] = useState<string | null>(null);
  const take = (): void => {
    const sequence = Number(typed ?? position);
    setTyped(null);
    if (Number.isInteger(sequence) && sequence !== position) onGo(sequence);
  };
  return (
    <input
      type="number"
      min={1}
      max={last}
      aria-label="Sequence"
      value={typed ?? position}
      onChange={({ target }) => setTyped(target.value)}
      onBlur={take}
      onKeyDown={({ key }) => {
        if (key === 'Enter') take();
      }}
    />
  );
}

/** Goes to the end of a step, which the server knows. One at a time. */
function useStep(go: (sequence: number) => void): (target: () => Promise<number>) => void {
  const notices = useNotices();
  const isBusy = useRef(false);
  return (target) => {
    if (isBusy.current) return;
    isBusy.current = true;
    target()
      .then(go, notices.failed)
      .finally(() => {
        isBusy.current = false;
      });
  };
}
