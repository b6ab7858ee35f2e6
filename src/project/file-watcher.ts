import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Editors write a file in several steps, and save several files at once: events this close together are one change. */
const SETTLE_MS = 100;

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** Tells a folder from another one that has taken its place. */
  readonly inode: number;
}

/**
 * Tells when any of a set of files changes, appears or disappears, by events of the file system. Folders are watched and not files, since
 * many editors replace a file by a rename, and since a file may be missing.
 */
export class FileWatcher {
  readonly #onChange: (files: readonly string[]) => void;
  readonly #onError: (error: unknown) => void;
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #changed = new Set<string>();
  #files: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | null = null;

  /** `onChange` gets the paths that changed, of files or of folders above them; `onError` is called if a folder can no longer be watched. */
  constructor(onChange: (files: readonly string[]) => void, onError: (error: unknown) => void) {
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Watches these files, by their absolute paths, and no others. They need not exist, and neither need their folders. */
  watch(files: Iterable<string>): void {
    this.#files = new Set(files);
    const folders = new Set([...this.#files].map((file) => nearestFolder(dirname(file))));
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (folders.has(folder) && inode === inodeOf(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of folders) if (!this.#folders.has(folder)) this.#open(folder);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #open(folder: string): void {
    const watcher = watch(folder, (_event, name) => this.#note(folder, name));
    watcher.on('error', this.#onError);
    this.#folders.set(folder, { watcher, inode: inodeOf(folder) });
  }

  /** `name` is null if the system does not tell it; then all files of the folder may have changed. */
  #note(folder: string, name: string | null): void {
    const path = name === null ? folder : join(folder, name);
    const isGone = this.#folders.get(folder)?.inode !== inodeOf(folder);
    const prefix = isGone ? folder : path;
    const concerns = (file: string) => file === prefix || file.startsWith(`${prefix}${sep}`);
    if (![...this.#files].some(concerns)) return;
    this.#changed.add(prefix);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settled(), SETTLE_MS);
  }

  #settled(): void {
    const files = [...this.#changed];
    this.#changed.clear();
    this.#timer = null;
    // A folder that was made or replaced meanwhile is watched itself.
    this.watch(this.#files);
    this.#onChange(files);
  }
}

function nearestFolder(folder: string): string {
  for (let path = folder; ; path = dirname(path)) if (inodeOf(path) !== 0 || path === dirname(path)) return path;
}

/** 0 = there is no such folder. */
function inodeOf(folder: string): number {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true ? found.ino : 0;
}
