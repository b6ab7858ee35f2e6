import { ExecutionActions } from './actions/actions.tsx';
import { ApprovalsTab } from './approvals/approvals-tab.tsx';
import { EventsTab } from './events/events-tab.tsx';
import { ForksTab } from './forks/forks-tab.tsx';
import { StateTab } from './state/state-tab.tsx';
import { TimelineTab } from './timeline/timeline-tab.tsx';

/** The tabs beside the graph. */
export const TABS = [
  { id: 'timeline', label: 'Timeline', content: () => <TimelineTab /> },
  { id: 'state', label: 'State', content: () => <StateTab /> },
  { id: 'events', label: 'Events', content: () => <EventsTab /> },
  { id: 'approvals', label: 'Approvals', content: () => <ApprovalsTab /> },
  { id: 'forks', label: 'Forks', content: () => <ForksTab /> },
];

/** Beside the title: what the reader may do with the execution. */
export function Actions() {
  return <ExecutionActions />;
}
