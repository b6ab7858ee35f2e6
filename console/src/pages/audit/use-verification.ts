import { type UseMutationResult, useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { AuditVerification } from '../../../../src/api/operations/audit.ts';
import { useSession } from '../../session/session.ts';

interface Verification {
  readonly run: UseMutationResult<AuditVerification, Error, void>;
  /** The server stops reading when the request is gone. */
  readonly stop: () => void;
  readonly wasStopped: boolean;
}

/** Verifies the audit chain on the server, which may take minutes; it is stopped when the page is left. */
export function useVerification(): Verification {
  const { client } = useSession();
  const gone = useRef<AbortController | null>(null);
  useEffect(() => () => gone.current?.abort(), []);
  const run = useMutation<AuditVerification, Error, void>({
    mutationFn: () => {
      gone.current = new AbortController();
      return client.audit.verify({ signal: gone.current.signal });
    },
  });
  return { run, stop: () => gone.current?.abort(), wasStopped: run.error !== null && gone.current?.signal.aborted === true };
}
