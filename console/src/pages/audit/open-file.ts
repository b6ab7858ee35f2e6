import { download } from '../../components/download-button.tsx';

/** A file that is written in parts. */
export interface OpenFile {
  write(part: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Nothing is kept of it. */
  abort(): Promise<void>;
}

/** https://wicg.github.io/file-system-access/ is missing in some browsers, and in the types of others. */
interface SavePicker {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Asks where to save, so that parts go to the disk as they arrive. Browsers that cannot are given the whole file at the end. Null = refused. */
export async function openFile(name: string): Promise<OpenFile | null> {
  const { showSaveFilePicker } = window as SavePicker;
  if (showSaveFilePicker === undefined) return collected(name);
  try {
    const handle = await showSaveFilePicker.call(window, { suggestedName: name });
    const stream = await handle.createWritable();
    return {
      write: (part) => stream.write(part as Uint8Array<ArrayBuffer>),
      close: () => stream.close(),
      abort: () => stream.abort(),
    };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

function collected(name: string): OpenFile {
  const parts: Blob[] = [];
  return {
    // Browsers keep large blobs on the disk.
    write: async (part) => void parts.push(new Blob([part as Uint8Array<ArrayBuffer>])),
    close: async () => download(new Blob(parts, { type: 'application/x-ndjson' }), name),
    abort: async () => void parts.splice(0),
  };
}
