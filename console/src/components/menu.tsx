import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Button } from './button.tsx';
import styles from './menu.module.css';

export interface MenuItem {
  readonly id: string;
  readonly label: ReactNode;
  readonly isDangerous?: boolean;
  readonly onSelect: () => void;
}

interface Props {
  readonly label: string;
  readonly items: readonly MenuItem[];
}

/** A button with a menu, as in https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/: arrow keys move, Escape closes. */
export function Menu({ label, items }: Props) {
  const [isOpen, setOpen] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    host.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    const outside = ({ target }: Event): void => {
      if (!(target instanceof Node && host.current?.contains(target))) setOpen(false);
    };
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, [isOpen]);

  const close = (): void => {
    setOpen(false);
    host.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
      return;
    }
    if (event.key === 'Tab') setOpen(false);
    const all = [...(host.current?.querySelectorAll<Element>('[role="menuitem"]') ?? [])];
    const at = document.activeElement === null ? -1 : all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    const next = all[to % all.length];
    if (next instanceof HTMLElement) next.focus();
  };

  return (
    <div ref={host} className={styles.host}>
      <Button
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {label} <span aria-hidden="true">▾</span>
      </Button>
      {isOpen && (
        <div id={id} role="menu" tabIndex={-1} aria-label={label} className={styles.menu} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button
              key={item.id}
              type="button"
              role="menuitem"
              tabIndex={-1}
              className={item.isDangerous === true ? styles.dangerous : undefined}
              onClick={() => {
                close();
                item.onSelect();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
