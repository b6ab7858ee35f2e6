import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Empty } from '../components/empty.tsx';
import { useSession } from '../session/session.ts';
import { sectionOf } from './sections.ts';

/** The page, unless its section is not for the role of the caller, who may have followed a link of another person. */
export function ForRole({ children }: { readonly children: ReactNode }) {
  const { caller, can } = useSession();
  const [path] = useLocation();
  const section = sectionOf(path);
  if (section === undefined || can(section.access)) return children;
  return (
    <Empty title={`${section.label} are shown to operators only`}>
      <p>Your role is {caller.role}.</p>
      <Link href="/executions">Executions</Link>
    </Empty>
  );
}
