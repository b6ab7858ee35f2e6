import type { Json } from '../../../machines/json.ts';

/** What the text of an editor is: a value, why it is none, or a value that is being checked. */
export type EditedJson = { readonly value: Json } | { readonly problem: string } | { readonly pending: true };

export interface JsonEditorProps {
  /** For screen readers. */
  readonly label: string;
  /** The text is the editor's own after that. */
  readonly initialText: string;
  readonly onChange: (edited: EditedJson) => void;
  /** Problems of a value that is JSON, for example against a schema; empty = none. If it rejects, the value is not checked, which is said. */
  readonly check?: ((value: Json) => Promise<readonly string[]>) | undefined;
}
