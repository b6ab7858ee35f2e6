import { TimelineTab } from './timeline/timeline-tab.tsx';

/** The tabs beside the graph. */
export const TABS = [{ id: 'timeline', label: 'Timeline', content: () => <TimelineTab /> }];

/** Beside the title: what the reader may do with the execution. */
export function Actions() {
  return null;
}
