import { oneLine } from '../../../machines/views/text.ts';

interface Props {
  /** Text of users: names, ids, errors, labels. */
  readonly text: string;
  /** Default 200. */
  readonly maxChars?: number;
}

/** Text of users on one line: control characters are visible, and it cannot change the direction of what stands beside it. */
export function Name({ text, maxChars = 200 }: Props) {
  return (
    <bdi title={text.length > maxChars ? oneLine(text.slice(0, 8_000), 2_000) : undefined}>
      {oneLine(text.slice(0, 8 * maxChars), maxChars)}
    </bdi>
  );
}

/** Texts of users on one line, or that there are none. */
export function Names({ of: names }: { readonly of: readonly string[] }) {
  return names.length === 0 ? '–' : <Name text={names.join(', ')} />;
}
