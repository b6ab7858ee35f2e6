type Labels = Readonly<Record<string, string>>;

/** Labels in which an execution keeps what it was started with. Its next segments have them, too, its children have not. */
const THREAD_LABEL = 'jamjet.thread';
const KEY_LABEL = 'jamjet.key';

export function startLabels(given: { readonly thread?: string | null; readonly key?: string | null }): Labels {
  const labels: Record<string, string> = {};
  if (typeof given.thread === 'string') labels[THREAD_LABEL] = given.thread;
  if (typeof given.key === 'string') labels[KEY_LABEL] = given.key;
  return labels;
}

/** Id of the thread with which an execution was started; null = it was started without. */
export function startThread(labels: Labels): string | null {
  return labels[THREAD_LABEL] ?? null;
}

/** The same of labels as JSON text. */
export function startThreadIn(labels: string): string | null {
  return labels.includes(`"${THREAD_LABEL}":`) ? startThread(JSON.parse(labels) as Labels) : null;
}

/** The key with which an execution was started; null = it was started without. */
export function startKey(labels: Labels): string | null {
  return labels[KEY_LABEL] ?? null;
}

/** The same of labels as JSON text. */
export function startKeyIn(labels: string): string | null {
  return labels.includes(`"${KEY_LABEL}":`) ? startKey(JSON.parse(labels) as Labels) : null;
}
