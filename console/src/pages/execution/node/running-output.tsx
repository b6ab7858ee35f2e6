import type { NodeAttempt, NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { Multiline } from '../../../components/multiline.tsx';
import { Name } from '../../../components/name.tsx';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import styles from './node-panel.module.css';

interface Props {
  readonly node: string;
  readonly visit: NodeVisit;
  readonly attempt: NodeAttempt;
}

/** What a running attempt shows: the text that its model is writing, the progress that its tool reports. Nothing of it is in the log. */
export function RunningOutput({ node, visit, attempt }: Props) {
  const { log, at } = useExecutionView();
  useLogVersion(log, `running:${node}`);
  const running = log.running.of(node);
  if (at !== null || running === null) return null;
  if (running.activation !== visit.activation || running.attempt !== attempt.attempt) return null;
  return (
    <section aria-label="Live output">
      {running.progress !== null && (
        <p className={styles.progress}>
          {running.progress.fraction !== null && (
            <>
              <progress max={1} value={running.progress.fraction} aria-label="Progress" />
              {Math.floor(running.progress.fraction * 100)} %
            </>
          )}
          {running.progress.text !== null && <Name text={running.progress.text} maxChars={400} />}
        </p>
      )}
      {running.text !== '' && <Multiline text={running.text} label="Text so far" prose />}
    </section>
  );
}
