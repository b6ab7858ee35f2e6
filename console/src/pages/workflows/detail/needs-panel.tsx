import { lazy, Suspense } from 'react';
import type { WorkflowDetail } from '../../../../../src/client/index.ts';
import { Loading } from '../../../components/loading.tsx';

// Reads the document with machines/: heavy.
const NeedsTable = lazy(async () => ({ default: (await import('./needs-table.tsx')).NeedsTable }));

export function NeedsPanel({ workflow }: { readonly workflow: WorkflowDetail }) {
  return (
    <Suspense fallback={<Loading what="what it needs" />}>
      <NeedsTable workflow={workflow} />
    </Suspense>
  );
}
