const ONE_KILOBYTE = 1024;

/** The function of every tool node. */
export function work({ n }: { readonly n: number }): { readonly n: number } {
  return { n: n + 1 };
}

/** Changes 1 KB of a large state. */
export function grow({ n }: { readonly n: number }): { readonly n: number; readonly chunk: string } {
  return { n: n + 1, chunk: String(n).padStart(ONE_KILOBYTE, '.') };
}

/** Adds a message of 1 KB to a conversation and returns all of them, as agents do; they share nothing with the state, as a worker's do not. */
export function say({ messages }: { readonly messages: readonly unknown[] }): { readonly n: number; readonly messages: unknown } {
  const message = { role: 'user', content: String(messages.length).padStart(ONE_KILOBYTE, '.') };
  return { n: messages.length + 1, messages: JSON.parse(JSON.stringify([...messages, message])) as unknown };
}

/** Fails at the first attempt. */
export function flaky({ n }: { readonly n: number }, { attempt }: { readonly attempt: number }): { readonly n: number } {
  if (attempt === 0) throw new Error('the first attempt fails');
  return { n: n + 1 };
}

/** Waits between half a second and one and a half. */
export async function slow({ n }: { readonly n: number }): Promise<{ readonly n: number }> {
  await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_000));
  return { n: n + 1 };
}

/** Never ends by itself. */
export function hang(): Promise<never> {
  return new Promise(() => {});
}

/** The work of one item of a list. */
export function score({ id }: { readonly id: number }): { readonly score: number } {
  return { score: id };
}
