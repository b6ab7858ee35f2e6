/** An entry that is known to be there. */
export function at<T>(list: ArrayLike<T>, i: number): T {
  const found = list[i];
  if (found === undefined) throw new RangeError(`no entry ${i} among ${list.length}`);
  return found;
}
