/**
 * Copies a text; rejects if the browser does not permit it. Browsers have a clipboard only for pages with TLS or of this machine; on others the
 * text is copied from a field beside `button`, which has the focus afterwards.
 */
export async function copyText(text: string, button: HTMLElement): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  button.after(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  button.focus();
  if (!copied) throw new Error('the browser does not permit to copy');
}
