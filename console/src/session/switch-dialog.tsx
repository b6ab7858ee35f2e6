import { oneLine } from '../../../machines/views/text.ts';
import type { Caller } from '../../../src/api/operations/identity.ts';
import type { SignedIn } from '../../../src/api/operations/sign-in.ts';
import { Button } from '../components/button.tsx';
import dialogStyles from '../components/dialog.module.css';
import { Dialog } from '../components/dialog.tsx';
import { Name } from '../components/name.tsx';

const MAX_CHARS = 80;

interface Props {
  readonly from: Caller;
  readonly to: SignedIn;
  readonly onStay: () => void;
  readonly onSwitch: () => void;
}

/** Asks whether the tab is to become the caller of a sign-in link. Enter does not confirm. */
export function SwitchDialog({ from, to, onStay, onSwitch }: Props) {
  return (
    <Dialog title={`You are ${nameOf(from)}. Become ${nameOf(to)}?`} onClose={onStay}>
      <p>
        This page was opened by a sign-in link. If you continue, what you do in this tab is done as {to.role} of tenant{' '}
        <Name text={to.tenant_id} maxChars={MAX_CHARS} />, under the name <Name text={to.name} maxChars={MAX_CHARS} />, and what
        you enter goes there.
      </p>
      <p>Continue only if you asked for the link. If you stay, it is used up; nothing else changes.</p>
      <div className={dialogStyles.actions}>
        <Button onClick={onStay} data-focus>
          Stay {nameOf(from)}
        </Button>
        <Button kind="danger" onClick={onSwitch}>
          Become {nameOf(to)}
        </Button>
      </div>
    </Dialog>
  );
}

/** Such as `dev (default)`; a session of a link is named like the token that made it. */
function nameOf({ name, tenant_id }: { readonly name: string; readonly tenant_id: string }): string {
  return `${oneLine(name.replace(/ \(console\)$/, ''), MAX_CHARS)} (${oneLine(tenant_id, MAX_CHARS)})`;
}
