import { Button } from './button.tsx';

interface Props {
  readonly content: () => string | Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly type: string;
}

export function DownloadButton({ content, name, type }: Props) {
  return (
    <Button kind="quiet" onClick={() => download(new Blob([content()], { type }), name)} aria-label={`Download ${name}`}>
      Download
    </Button>
  );
}

/** Saves a file. Characters that a file name cannot have become dashes. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(/[^\p{L}\p{N}._-]+/gu, '-');
  link.click();
  // The browser reads the blob after the click.
  setTimeout(() => URL.revokeObjectURL(url));
}
