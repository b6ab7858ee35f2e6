import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { Button } from '../components/button.tsx';
import { Logo } from '../components/logo.tsx';
import { Name } from '../components/name.tsx';
import { ConnectionState } from '../live/connection-state.tsx';
import { useSession } from '../session/session.ts';
import { PendingApprovals } from './pending-approvals.tsx';
import { SECTIONS, sectionOf } from './sections.ts';
import styles from './shell.module.css';
import { ThemeButton } from './theme.tsx';

/** Navigation and the frame of all pages. On a phone, the navigation is behind a button. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const { caller, can, signOut } = useSession();
  const [path] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const section = sectionOf(path)?.href;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what happens when the path changes
  useEffect(() => {
    setOpen(false);
    main.current?.scrollTo(0, 0);
  }, [path]);

  return (
    <div className={styles.shell}>
      <header className={styles.top}>
        <a className={styles.skip} href={`#${path}`} onClick={(event) => skipTo(event, main.current)}>
          Skip to the content
        </a>
        <Link href="/executions" className={styles.home}>
          <Logo />
        </Link>
        <Button
          kind="quiet"
          className={styles.menu}
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </Button>
      </header>
      <nav id="navigation" className={styles.nav} aria-label="Sections" data-open={isOpen}>
        {SECTIONS.filter(({ access }) => can(access)).map(({ href, label }) => (
          <Link key={href} href={href} className={styles.link} aria-current={href === section ? 'page' : undefined}>
            {label}
            {href === '/approvals' && <PendingApprovals />}
          </Link>
        ))}
        <div className={styles.foot}>
          <ConnectionState />
          <p className={styles.caller}>
            <Name text={caller.name} maxChars={40} />
            <span>
              {caller.role} · <Name text={caller.tenant_id} maxChars={40} />
            </span>
          </p>
          <div className={styles.buttons}>
            <ThemeButton />
            {caller.auth === 'on' && (
              <Button kind="quiet" onClick={signOut}>
                Sign out
              </Button>
            )}
          </div>
        </div>
      </nav>
      <main ref={main} className={styles.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function skipTo(event: { preventDefault(): void }, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}
