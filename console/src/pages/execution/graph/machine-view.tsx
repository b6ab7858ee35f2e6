import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import styles from './graph-pane.module.css';

/** The states of the compiled machine with those that are active, drawn by the server: now, or at the sequence that is shown. */
export function MachineView() {
  const { id, at, log } = useExecutionView();
  const { client } = useSession();
  // A picture takes the server some time: a running execution is drawn again when the reader asks for it.
  const [drawnAt, setDrawnAt] = useState<number | null>(null);
  const picture = useQuery({
    queryKey: ['machine', id, at, drawnAt],
    queryFn: async ({ signal }) => {
      const wanted = { format: 'svg', view: 'machine', ...(at === null ? {} : { at }) } as const;
      return (await client.diagrams.execution(id, wanted, { signal })).bytes;
    },
  });
  const url = useBlobUrl(picture.data, 'image/svg+xml');
  if (picture.error !== null) return <ErrorNotice error={picture.error} onRetry={() => void picture.refetch()} />;
  if (url === null) return <Loading what="the machine" />;
  return (
    <>
      {at === null && <Refresh drawnAt={drawnAt} onRefresh={() => setDrawnAt(log.sequence)} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className={styles.picture} tabIndex={0} aria-label="Picture of the machine">
        <img src={url} alt="States of the compiled machine; the active ones are highlighted" />
      </section>
    </>
  );
}

function Refresh({ drawnAt, onRefresh }: { readonly drawnAt: number | null; readonly onRefresh: () => void }) {
  const { log } = useExecutionView();
  useLogVersion(log, 'events');
  const [first] = useState(log.sequence);
  const isOld = log.sequence > (drawnAt ?? first);
  if (!isOld) return null;
  return (
    <button type="button" className={styles.refresh} onClick={onRefresh}>
      The execution has gone on: draw it again
    </button>
  );
}

/** A URL for bytes, as long as they are shown. */
function useBlobUrl(bytes: Uint8Array | undefined, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (bytes === undefined) return;
    const made = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return url;
}
