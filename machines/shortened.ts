/** A text of a caller, cut for a message to so many characters; no half of a surrogate pair is left at its end. */
export function shortened(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The same, with what stands for the rest in so many characters. */
export function fitted(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : shortened(text, Math.max(0, maxChars - 1));
}
