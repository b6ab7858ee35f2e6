const ONE_KILOBYTE = 1024;

/** The function of every tool node. */
export function work({ n }: { readonly n: number }): { readonly n: number } {
  return { n: n + 1 };
}

/** Changes 1 KB of a large state. */
export function grow({ n }: { readonly n: number }): { readonly n: number; readonly chunk: string } {
  return { n: n + 1, chunk: String(n).padStart(ONE_KILOBYTE, '.') };
}
