import { json, jsonParseLinter } from '@codemirror/lang-json';
import { type Diagnostic, linter } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import type { Json } from '../../../machines/json.ts';
import styles from './code-editor.module.css';
import type { EditedJson, JsonEditorProps } from './edited-json.ts';

const parseProblems = jsonParseLinter();
/** How long typing pauses before the text is checked. */
const CHECK_DELAY_MS = 300;

/** CodeMirror with JSON. Its styles are adopted style sheets, which the content security policy admits. */
export function CodeEditor({ label, initialText, onChange, check }: JsonEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ onChange, check });
  latest.current = { onChange, check };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor owns its text; a change of the initial one makes no new editor
  useEffect(() => {
    if (host.current === null) return;
    const changed = (text: string): void => {
      const parsed = parse(text);
      latest.current.onChange('problem' in parsed || latest.current.check === undefined ? parsed : { pending: true });
    };
    const view = new EditorView({
      parent: host.current,
      doc: initialText,
      extensions: [
        basicSetup,
        json(),
        linter((editor) => diagnostics(editor, latest.current), { delay: CHECK_DELAY_MS }),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    });
    changed(initialText);
    return () => view.destroy();
  }, []);

  return <div ref={host} className={styles.editor} />;
}

function parse(text: string): { readonly value: Json } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Marks what is wrong with the text, and reports whether its value has passed the check. */
async function diagnostics(editor: EditorView, { check, onChange }: Pick<JsonEditorProps, 'check' | 'onChange'>) {
  const { doc } = editor.state;
  const parsed = parse(doc.toString());
  if ('problem' in parsed) return doc.length === 0 ? [] : parseProblems(editor);
  if (check === undefined) return [];
  const marked = (message: string, severity: Diagnostic['severity']): Diagnostic => ({
    from: 0,
    to: doc.length,
    severity,
    message,
  });
  const report = (edited: EditedJson): void => {
    if (editor.state.doc === doc) onChange(edited);
  };
  try {
    const problems = await check(parsed.value);
    report(problems.length === 0 ? parsed : { problem: problems.join('; ') });
    return problems.map((message) => marked(message, 'error'));
  } catch (error) {
    report(parsed);
    return [marked(error instanceof Error ? error.message : String(error), 'warning')];
  }
}
