import type { WorkerList } from '../../../../src/client/index.ts';
import { Details } from '../../components/details.tsx';
import { Time } from '../../components/time.tsx';

/** The attempts that run in the server that answered. */
export function InProcess({
  work: { running, waiting, oldest_waiting_since: since },
}: {
  readonly work: WorkerList['in_process'];
}) {
  return (
    <Details
      items={[
        ['Running in this server', running.toLocaleString()],
        ['Waiting for a slot', waiting.toLocaleString()],
        ['Longest waiting since', <Time key="since" at={since} otherwise="none waits" />],
      ]}
    />
  );
}
