import { useEffect, useRef, useState } from 'react';
import { Button } from '../../components/button.tsx';
import { useNotices } from '../../components/notices.tsx';
import { useSession } from '../../session/session.ts';
import { openFile } from './open-file.ts';

const SHOWN_EVERY_BYTES = 256 * 1_024;

/** Writes the export of the audit log, with its proofs, to a file as it arrives. */
export function ExportButton() {
  const { client, caller } = useSession();
  const notices = useNotices();
  const stop = useRef<AbortController | null>(null);
  const [written, setWritten] = useState<number | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async (): Promise<void> => {
    const file = await openFile(`audit-${caller.tenant_id}-${new Date().toISOString().slice(0, 10)}.jsonl`);
    if (file === null) return;
    const gone = new AbortController();
    stop.current = gone;
    let bytes = 0;
    let shown = 0;
    setWritten(0);
    try {
      for await (const chunk of client.audit.export({}, { signal: gone.signal })) {
        await file.write(chunk);
        bytes += chunk.byteLength;
        if (bytes - shown < SHOWN_EVERY_BYTES) continue;
        shown = bytes;
        setWritten(bytes);
      }
      await file.close();
      notices.done(`The audit log is exported: ${sizeText(bytes)}. "jamjet audit verify --file" verifies it.`);
    } catch (error) {
      await file.abort();
      if (gone.signal.aborted) notices.done('The export is stopped.');
      else notices.failed(error);
    } finally {
      setWritten(null);
    }
  };

  if (written !== null)
    return (
      <Button onClick={() => stop.current?.abort()}>
        Stop the export <span className="muted">({sizeText(written)})</span>
      </Button>
    );
  return <Button onClick={() => void run().catch(notices.failed)}>Export</Button>;
}

function sizeText(bytes: number): string {
  return bytes < 1_024 * 1_024 ? `${Math.ceil(bytes / 1_024)} KiB` : `${(bytes / 1_024 / 1_024).toFixed(1)} MiB`;
}
