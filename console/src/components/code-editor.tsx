import { json, jsonParseLinter } from '@codemirror/lang-json';
import { type Diagnostic, linter } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import type { Json } from '../../../machines/json.ts';
import styles from './code-editor.module.css';
import type { EditedJson, JsonEditorProps } from './edited-json.ts';

const parseProblems = jsonParseLinter();

/** CodeMirror with JSON. Its styles are adopted style sheets, which the content security policy admits. */
export function CodeEditor({ label, initialText, onChange, check }: JsonEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ onChange, check });
  latest.current = { onChange, check };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor owns its text; a change of the initial one makes no new editor
  useEffect(() => {
    if (host.current === null) return;
    const edited = (text: string): EditedJson => {
      const parsed = parse(text);
      if ('problem' in parsed) return parsed;
      const [problem] = latest.current.check?.(parsed.value) ?? [];
      return problem === undefined ? parsed : { problem };
    };
    const view = new EditorView({
      parent: host.current,
      doc: initialText,
      extensions: [
        basicSetup,
        json(),
        linter((editor) => [...problemsOf(editor), ...checkProblems(editor, latest.current.check)]),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.onChange(edited(update.state.doc.toString()));
        }),
      ],
    });
    latest.current.onChange(edited(initialText));
    return () => view.destroy();
  }, []);

  return <div ref={host} className={styles.editor} />;
}

function parse(text: string): EditedJson {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function problemsOf(editor: EditorView): readonly Diagnostic[] {
  return editor.state.doc.length === 0 ? [] : parseProblems(editor);
}

function checkProblems(editor: EditorView, check: JsonEditorProps['check']): readonly Diagnostic[] {
  const edited = parse(editor.state.doc.toString());
  if (check === undefined || 'problem' in edited) return [];
  return check(edited.value).map((message) => ({ from: 0, to: editor.state.doc.length, severity: 'error', message }));
}
