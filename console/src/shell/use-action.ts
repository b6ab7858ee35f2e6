import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useNotices } from '../components/notices.tsx';

/**
 * A request that changes something: `mutate` runs it, what it did or why it failed is shown, and what is on the page is read again. With
 * `errors: 'inline'` the caller shows `error` itself, for example in the dialog that is still open.
 *
 * @example
 * const pause = useAction((reason: string) => client.pause(id, reason), () => 'Paused.');
 */
export function useAction<Input, Output>(
  run: (input: Input) => Promise<Output>,
  done: (output: Output, input: Input) => ReactNode,
  { errors = 'notice' }: { readonly errors?: 'notice' | 'inline' } = {},
): UseMutationResult<Output, Error, Input> {
  const queries = useQueryClient();
  const notices = useNotices();
  return useMutation({
    mutationFn: run,
    onSuccess: (output, input) => {
      notices.done(done(output, input));
    },
    onError: (error) => {
      if (errors === 'notice') notices.failed(error);
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'caller' }),
  });
}
