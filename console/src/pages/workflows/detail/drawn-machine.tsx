import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { WorkflowDetail } from '../../../../../src/client/index.ts';
import { DownloadButton } from '../../../components/download-button.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useSession } from '../../../session/session.ts';
import styles from './detail.module.css';

const SVG = 'image/svg+xml';

/** The states of the compiled machine, drawn by the server. */
export function DrawnMachine({ workflow: { workflow_id, version, revision } }: { readonly workflow: WorkflowDetail }) {
  const { client } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ['drawn-machine', workflow_id, revision],
    queryFn: async ({ signal }) => {
      const picture = await client.diagrams.workflow(workflow_id, { revision, format: 'svg', view: 'machine' }, { signal });
      return picture.bytes as Uint8Array<ArrayBuffer>;
    },
  });
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (data === undefined) return;
    const made = URL.createObjectURL(new Blob([data], { type: SVG }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  if (error !== null) return <ErrorNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined || url === null) return <Loading what="the machine" />;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className={`${styles.canvas} ${styles.picture}`} tabIndex={0} aria-label="Picture of the machine">
        <img src={url} alt="States and transitions of the compiled machine" />
      </section>
      <DownloadButton content={() => data} name={`${oneLine(workflow_id, 80)}-${oneLine(version, 40)}-machine.svg`} type={SVG} />
    </>
  );
}
