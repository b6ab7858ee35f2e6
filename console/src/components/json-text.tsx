import type { Json } from '../../../machines/json.ts';
import { Name } from './name.tsx';

/** A short value on one line. */
export function JsonText({ value, maxChars = 120 }: { readonly value: Json; readonly maxChars?: number }) {
  return (
    <code>
      <Name text={JSON.stringify(value)} maxChars={maxChars} />
    </code>
  );
}
