import { isAbsolute, relative, resolve, sep } from 'node:path';

/** Is the path, as it is written, that of something in the folder? Symbolic links are not followed. */
export function isBelow(folder: string, path: string): boolean {
  const fromFolder = relative(resolve(folder), resolve(folder, path));
  return fromFolder !== '' && fromFolder !== '..' && !fromFolder.startsWith(`..${sep}`) && !isAbsolute(fromFolder);
}
