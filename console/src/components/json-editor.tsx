import { lazy, Suspense } from 'react';
import type { Json } from '../../../machines/json.ts';
import { Loading } from './loading.tsx';

const CodeEditor = lazy(async () => ({ default: (await import('./code-editor.tsx')).CodeEditor }));

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

/** An editor for JSON that marks what is wrong while it is typed. Loaded when it is first shown. */
export function JsonEditor(props: JsonEditorProps) {
  return (
    <Suspense fallback={<Loading what="the editor" />}>
      <CodeEditor {...props} />
    </Suspense>
  );
}
