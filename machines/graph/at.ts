/** The entry at an index that is known to exist. Throws `RangeError` when it does not. */
export function at<T>(list: ArrayLike<T>, i: number): T {
  const found = list[i];
  if (found === undefined) throw new RangeError(`no entry ${i} in a list of ${list.length}`);
  return found;
}
