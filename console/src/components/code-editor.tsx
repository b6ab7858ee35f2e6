import { json, jsonParseLinter } from '@codemirror/lang-json';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import type { Json } from '../../../machines/json.ts';
import styles from './code-editor.module.css';
import type { EditedJson, JsonEditorProps } from './edited-json.ts';

/** The style sheets of the page do not reach into the shadow root; its colours do. */
const THEME = EditorView.theme({
  '&': { maxHeight: '24rem', color: 'var(--ink)', backgroundColor: 'var(--surface)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { minHeight: '6rem', fontFamily: 'var(--mono)', fontSize: 'var(--small)', lineHeight: '1.5' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--raised)', borderColor: 'var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--raised) 60%, transparent)' },
  '.cm-activeLineGutter': { color: 'var(--ink)' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-matchingBracket, .cm-selectionMatch': { backgroundColor: 'var(--accent-soft)' },
  '.cm-tooltip, .cm-panels': { color: 'var(--ink)', backgroundColor: 'var(--surface)', borderColor: 'var(--line)' },
});
const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--completed)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--retrying)' },
]);

const parseProblems = jsonParseLinter();
/** How long typing pauses before the text is checked. */
const CHECK_DELAY_MS = 300;

/**
 * CodeMirror with JSON. It is in a shadow root, where its styles are adopted style sheets; elsewhere they would be style elements, which the
 * content security policy forbids.
 */
export function CodeEditor({ label, initialText, onChange, check }: JsonEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ onChange, check });
  latest.current = { onChange, check };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor owns its text; a change of the initial one makes no new editor
  useEffect(() => {
    if (host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const changed = (text: string): void => {
      const parsed = parse(text);
      latest.current.onChange('problem' in parsed || latest.current.check === undefined ? parsed : { pending: true });
    };
    const view = new EditorView({
      parent: root,
      root,
      doc: initialText,
      extensions: [
        basicSetup,
        json(),
        THEME,
        syntaxHighlighting(COLOURS),
        linter((editor) => diagnostics(editor, latest.current), { delay: CHECK_DELAY_MS }),
        EditorView.domEventHandlers({ beforeinput: replaceLines }),
        // Rich text would take over colours as inline styles, which the content security policy forbids.
        EditorView.contentAttributes.of({ 'aria-label': label, contenteditable: 'plaintext-only' }),
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

/**
 * Typing over several lines. A browser would keep their colours as inline styles, which the content security policy forbids; the editor replaces
 * them itself.
 */
function replaceLines({ data, inputType }: InputEvent, view: EditorView): boolean {
  const { doc, selection } = view.state;
  const spansLines = selection.ranges.some(({ from, to }) => doc.lineAt(from).number !== doc.lineAt(to).number);
  if (inputType !== 'insertText' || data === null || !spansLines) return false;
  view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
  return true;
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
