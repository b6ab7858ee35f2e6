import { lazy, Suspense } from 'react';
import type { JsonEditorProps } from './edited-json.ts';
import { Loading } from './loading.tsx';

const CodeEditor = lazy(async () => ({ default: (await import('./code-editor.tsx')).CodeEditor }));

/** An editor for JSON that marks what is wrong while it is typed. Loaded when it is first shown. */
export function JsonEditor(props: JsonEditorProps) {
  return (
    <Suspense fallback={<Loading what="the editor" />}>
      <CodeEditor {...props} />
    </Suspense>
  );
}
