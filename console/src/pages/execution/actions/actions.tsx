import { useState } from 'react';
import { Button } from '../../../components/button.tsx';
import { Menu, type MenuItem } from '../../../components/menu.tsx';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import { ForkDialog } from '../forks/fork-dialog.tsx';
import { useForkFrom } from '../forks/use-fork-from.ts';
import { CancelDialog, PauseDialog } from './reason-dialogs.tsx';
import { ResumeDialog } from './resume-dialog.tsx';
import { RetryButton } from './retry-button.tsx';
import { RunAgainDialog } from './run-again-dialog.tsx';
import { SendEventDialog } from './send-event-dialog.tsx';
import { useVerify } from './use-verify.ts';

type Opened = 'pause' | 'resume' | 'cancel' | 'send' | 'run-again' | null;

/** What the reader may do with the execution: only what its status and the role allow. */
export function ExecutionActions() {
  const { execution } = useExecutionView();
  const { can } = useSession();
  const [opened, setOpened] = useState<Opened>(null);
  const { forkAt, openFork, closeFork } = useForkFrom();
  const verify = useVerify();
  const { status, held } = execution;
  const hasEnded = !['pending', 'running', 'paused'].includes(status);
  const mayWrite = can('write');
  const close = (): void => setOpened(null);

  const items: MenuItem[] = [];
  if (mayWrite && !hasEnded) items.push({ id: 'send', label: 'Send event …', onSelect: () => setOpened('send') });
  if (mayWrite) {
    items.push({
      id: 'fork',
      label: 'Fork …',
      onSelect: () => openFork(hasEnded ? Math.max(1, execution.sequence - 1) : execution.sequence),
    });
    items.push({ id: 'run-again', label: 'Run again …', onSelect: () => setOpened('run-again') });
  }
  items.push({ id: 'verify', label: 'Verify the log', onSelect: () => verify.mutate() });

  return (
    <>
      {mayWrite && !hasEnded && held !== true && <Button onClick={() => setOpened('pause')}>Pause</Button>}
      {mayWrite && !hasEnded && held === true && (
        <Button kind="primary" onClick={() => setOpened('resume')}>
          Resume
        </Button>
      )}
      {mayWrite && status === 'failed' && <RetryButton />}
      {mayWrite && !hasEnded && (
        <Button kind="danger" onClick={() => setOpened('cancel')}>
          Cancel
        </Button>
      )}
      <Menu label="More" items={items} />
      {opened === 'pause' && <PauseDialog onClose={close} />}
      {opened === 'resume' && <ResumeDialog onClose={close} />}
      {opened === 'cancel' && <CancelDialog onClose={close} />}
      {opened === 'send' && <SendEventDialog onClose={close} />}
      {opened === 'run-again' && <RunAgainDialog onClose={close} />}
      {forkAt !== null && mayWrite && <ForkDialog key={forkAt} at={forkAt} onClose={closeFork} />}
    </>
  );
}
