import { useMemo } from 'react';
import type { PastState } from '../../../../../src/client/index.ts';
import { stateDiff } from '../../../../../src/views/state-diff.ts';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { Changes } from '../../../components/state/changes.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Time } from '../../../components/time.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import { useExecutionView } from '../execution-view.ts';
import { ForkButton } from '../forks/fork-button.tsx';
import { useLogVersion } from '../log/use-log-version.ts';
import { PositionControl } from './position-control.tsx';
import styles from './state-tab.module.css';
import { type ComparedState, usePastState } from './use-past-state.ts';
import { useSettled } from './use-settled.ts';

const SLIDER_MS = 120;
/** How often the state of a running execution is read again. */
const LIVE_MS = 1_000;

/** The state at any event of the log, and what has changed since the step before or another point. */
export function StateTab() {
  const { id, at, log } = useExecutionView();
  useLogVersion(log, 'events');
  const [parameters] = useParameters();
  const last = log.sequence;
  const sequence = useSettled(Math.min(at ?? last, last), at === null ? LIVE_MS : SLIDER_MS);
  const past = usePastState(id, sequence === 0 ? null : sequence, sequenceOf(parameters.get('from')));
  if (last === 0) return <Loading what="the log" />;
  return (
    <div className={styles.tab}>
      <PositionControl last={last} />
      {past.error !== null && <ErrorNotice error={past.error} onRetry={() => void past.refetch()} />}
      {past.isPending && past.error === null && <Loading what="the state" />}
      {past.data !== undefined && <ShownState {...past.data} isStale={past.isPlaceholderData} />}
    </div>
  );
}

function ShownState({ shown, before, isStale }: ComparedState & { readonly isStale: boolean }) {
  const { execution } = useExecutionView();
  const { sequence, status, state, active } = shown;
  const hasEnded = !['pending', 'running', 'paused'].includes(status);
  const changes = useMemo(() => stateDiff(before?.state ?? {}, state), [before, state]);
  return (
    <div className={styles.shown} aria-busy={isStale}>
      <p className={styles.facts}>
        <span>
          After event <strong data-testid="state-sequence">{sequence}</strong>
        </span>
        <StatusBadge status={status} />
        <Time at={shown.created_at} />
        {!hasEnded && <ForkButton at={sequence} />}
      </p>
      {active.length > 0 && (
        <ul className={styles.active} aria-label="Active nodes">
          {active.map(({ node_id, phase, attempt }) => (
            <li key={node_id}>
              <Name text={node_id} maxChars={60} /> <span>{phase.replaceAll('_', ' ')}</span>
              {attempt > 0 && <span> · attempt {attempt + 1}</span>}
            </li>
          ))}
        </ul>
      )}
      <section aria-label="Changes of the state">
        <ComparisonHeader before={before} />
        <Changes changes={changes} none="The state is the same." />
      </section>
      <section aria-label="State">
        <h2>State</h2>
        <JsonView value={state} label={`state of ${execution.id.slice(-8)} at ${sequence}`} />
      </section>
    </div>
  );
}

/** What the state is compared with: the step before, or the point that the reader has chosen. */
function ComparisonHeader({ before }: { readonly before: PastState | null }) {
  const [parameters, change] = useParameters();
  const chosen = parameters.get('from');
  return (
    <header className={styles.comparison}>
      <h2>{chosen === null || before === null ? 'Changed by this step' : `Changed since event ${before.sequence}`}</h2>
      <label>
        Compare with event{' '}
        <input
          key={chosen}
          type="number"
          min={1}
          inputMode="numeric"
          placeholder="step before"
          defaultValue={chosen ?? ''}
          onBlur={(event) => change({ from: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') change({ from: event.currentTarget.value });
          }}
        />
      </label>
    </header>
  );
}

function sequenceOf(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}
