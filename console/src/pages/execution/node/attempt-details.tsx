import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { NodeAttempt, NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { isObject, type Json } from '../../../../../machines/json.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { omittedItems } from '../../../../../src/views/omitted-items.ts';
import { Button } from '../../../components/button.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Name } from '../../../components/name.tsx';
import { Elapsed, Time } from '../../../components/time.tsx';
import { useExecutionView } from '../execution-view.ts';
import { AttemptError } from './attempt-error.tsx';
import styles from './node-panel.module.css';
import { NodeRoutes } from './node-routes.tsx';
import { RunningOutput } from './running-output.tsx';
import { Scoring } from './scoring.tsx';

interface Props {
  readonly node: string;
  readonly visit: NodeVisit;
  readonly attempt: NodeAttempt | undefined;
  readonly events: readonly Event[];
}

/** One attempt in full, and what its visit led to. */
export function AttemptDetails({ node, visit, attempt, events }: Props) {
  return (
    <div className={styles.details}>
      {visit.reason !== undefined && <Fact label="Skipped because">{<Name text={visit.reason} maxChars={1_000} />}</Fact>}
      {attempt !== undefined && <AttemptFacts attempt={attempt} />}
      {attempt !== undefined && <AttemptError attempt={attempt} />}
      {attempt !== undefined && <RunningOutput node={node} visit={visit} attempt={attempt} />}
      <div className={styles.values}>
        {attempt !== undefined && <Input attempt={attempt} />}
        {attempt?.output !== undefined && <Value title="Output" value={attempt.output} />}
        {attempt?.state_patch !== undefined && (
          <Value title="Change of the state" value={attempt.state_patch} remarks={omittedItems(attempt)} />
        )}
      </div>
      <NodeRoutes visit={visit} />
      <Scoring events={events} activation={visit.activation} />
    </div>
  );
}

function AttemptFacts({ attempt }: { readonly attempt: NodeAttempt }) {
  const { queued_at, started_at, completed_at, worker_id, queue, child_execution_id: child, next_attempt_at, usage } = attempt;
  return (
    <dl className={styles.facts}>
      {queued_at !== null && started_at === null && (
        <Fact label="Queued">
          <Time at={queued_at} />
        </Fact>
      )}
      {started_at !== null && (
        <Fact label="Began">
          <Time at={started_at} />
        </Fact>
      )}
      {started_at !== null && (
        <Fact label="Took">
          {attempt.duration_ms === null ? (
            <Elapsed from={started_at} to={completed_at} />
          ) : (
            <Elapsed from={new Date(0).toISOString()} to={new Date(Math.round(attempt.duration_ms)).toISOString()} />
          )}
        </Fact>
      )}
      {next_attempt_at !== undefined && (
        <Fact label="Next attempt">
          <Time at={next_attempt_at} />
        </Fact>
      )}
      {queue !== undefined && (
        <Fact label="Queue">
          <Name text={queue} maxChars={60} />
        </Fact>
      )}
      {worker_id !== null && (
        <Fact label="Worker">
          <Name text={worker_id} maxChars={60} />
        </Fact>
      )}
      {child !== undefined && (
        <Fact label="Child execution">
          <Link href={`/executions/${child}`}>
            <code>…{child.slice(-8)}</code>
          </Link>
        </Fact>
      )}
      {usage?.gen_ai_model !== undefined && (
        <Fact label="Model">
          <Name text={[usage.gen_ai_system, usage.gen_ai_model].filter((part) => part !== undefined).join(' · ')} maxChars={80} />
        </Fact>
      )}
      {(usage?.input_tokens !== undefined || usage?.output_tokens !== undefined) && (
        <Fact label="Tokens in · out">
          {(usage.input_tokens ?? 0).toLocaleString()} · {(usage.output_tokens ?? 0).toLocaleString()}
        </Fact>
      )}
      {usage?.cost_usd !== undefined && <Fact label="Cost">${usage.cost_usd}</Fact>}
      {usage?.finish_reason !== undefined && (
        <Fact label="Finished">
          <Name text={usage.finish_reason} maxChars={40} />
        </Fact>
      )}
      {attempt.redacted === true && <Fact label="Personal data">replaced</Fact>}
    </dl>
  );
}

function Input({ attempt }: { readonly attempt: NodeAttempt }) {
  const { setAt, openTab } = useExecutionView();
  const { input, input_from, input_sequence, input_omitted } = attempt;
  if (input !== undefined) return <Value title="Input" value={input} />;
  if (input_from === 'state' && input_sequence !== undefined)
    return (
      <section>
        <h3>Input</h3>
        <p>
          The whole state.{' '}
          <Button
            kind="quiet"
            onClick={() => {
              setAt(input_sequence);
              openTab('state');
            }}
          >
            Show it
          </Button>
        </p>
      </section>
    );
  return input_omitted === true ? (
    <section>
      <h3>Input</h3>
      <p className={styles.muted}>Not recorded: it is too large, or the data policy does not retain it.</p>
    </section>
  ) : null;
}

/** A value. One that is a text, or has one for a model's answer, is read more easily as JSON with copy and download. */
function Value({
  title,
  value,
  remarks = [],
}: {
  readonly title: string;
  readonly value: Json;
  readonly remarks?: readonly string[];
}) {
  const isEmpty = isObject(value) && Object.keys(value).length === 0;
  return (
    <section>
      <h3>{title}</h3>
      {isEmpty ? <p className={styles.muted}>empty</p> : <JsonView value={value} label={title} />}
      {remarks.map((remark) => (
        <p key={remark} className={styles.muted}>
          <Name text={remark} />
        </p>
      ))}
    </section>
  );
}

export function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
