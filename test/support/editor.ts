import type { Locator } from 'playwright-core';

/** Replaces the text of an editor of the console by keyboard, as a person does: `fill` edits the page behind the editor's back. */
export async function replaceText(editor: Locator, text: string): Promise<void> {
  await editor.focus();
  const { keyboard } = editor.page();
  await keyboard.press('ControlOrMeta+A');
  await keyboard.press('Delete');
  await keyboard.insertText(text);
}
