import type { Json } from '../../../machines/json.ts';

/** What the text of an editor is: a value, or why it is none. */
export type EditedJson = { readonly value: Json } | { readonly problem: string };

export interface JsonEditorProps {
  /** For screen readers. */
  readonly label: string;
  /** The text is the editor's own after that. */
  readonly initialText: string;
  readonly onChange: (edited: EditedJson) => void;
  /** Problems of a value that is JSON, for example against a schema; empty = none. */
  readonly check?: (value: Json) => readonly string[];
}
