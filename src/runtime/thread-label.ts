const THREAD_LABEL = 'jamjet.thread';

type Labels = Readonly<Record<string, string>>;

/** The label of an execution that was started with a thread. Its next segments and its forks have it, too, its children have not. */
export function threadLabel(thread: string | null | undefined): Labels {
  return thread === null || thread === undefined ? {} : { [THREAD_LABEL]: thread };
}

/** Id of the thread with which an execution was started; null = it was started without. */
export function startThread(labels: Labels): string | null {
  return labels[THREAD_LABEL] ?? null;
}

/** The same of labels as JSON text. */
export function startThreadIn(labels: string): string | null {
  return labels.includes(`"${THREAD_LABEL}":`) ? startThread(JSON.parse(labels) as Labels) : null;
}
