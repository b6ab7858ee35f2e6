import type { CheckedCopy, CopyProgress } from '../../server/backups.ts';
import type { Paint } from '../terminal/paint.ts';
import { sizeText } from '../terminal/size.ts';
import { checkJson, checkText } from './check.ts';

const PROGRESS_INTERVAL_MS = 2_000;

/** Reports the progress of a copy every two seconds, so that a short one says nothing. */
export function progressNotes(note: (text: string) => void, nowMs: () => number): (progress: CopyProgress) => void {
  let notedAtMs = nowMs();
  return ({ copiedBytes, totalBytes }) => {
    if (nowMs() - notedAtMs < PROGRESS_INTERVAL_MS || totalBytes === 0) return;
    notedAtMs = nowMs();
    const percent = Math.floor((copiedBytes / totalBytes) * 100);
    note(`copied ${sizeText(copiedBytes)} of ${sizeText(totalBytes)} (${percent} %)`);
  };
}

export function isSound({ check }: CheckedCopy): boolean {
  return check === null || checkJson(check).ok;
}

/** The checks of a backup, or of a restored database, as JSON. */
export function copiedJson({ schemaVersion, check }: CheckedCopy) {
  return { schema_version: schemaVersion, check: check === null ? null : checkJson(check) };
}

/** The same as text: a line per check and per difference. */
export function copiedText(
  { schemaVersion, check }: CheckedCopy,
  { all, paint }: { readonly all: boolean; readonly paint: Paint },
): string {
  const pages = `${paint.green('✓')} all pages and indexes are sound`;
  const replayed =
    check === null
      ? `${paint.yellow('!')} executions not replayed: schema version ${schemaVersion} is that of an earlier release`
      : checkText(check, { all, paint });
  return `${pages}\n${replayed}`;
}
