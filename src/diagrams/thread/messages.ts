import type { View } from '../../../machines/views/diagram.ts';
import type { TransitionCounts } from '../../../machines/views/transition-counts.ts';
import type { DiagramErrorCode } from '../errors.ts';
import type { Format } from '../formats.ts';

/** An event whose data is JSON text, which is the cheapest to send to a thread. */
export interface SerializedEvent {
  readonly sequence: number;
  readonly type: string;
  readonly nodeId: string | null;
  readonly data: string;
  readonly atMs: number;
}

export interface DrawMessage {
  readonly type: 'draw';
  readonly job: number;
  readonly revision: string;
  /** The document of the revision, as JSON text. */
  readonly source: string;
  readonly format: Format;
  readonly view: View;
  /** The execution whose events follow; null = the workflow alone. */
  readonly execution: { readonly id: string; readonly transitions: TransitionCounts | null } | null;
}

export type ThreadMessage =
  | DrawMessage
  | { readonly type: 'events'; readonly job: number; readonly events: readonly SerializedEvent[]; readonly last: boolean }
  | { readonly type: 'abandon'; readonly job: number };

export type ThreadAnswer =
  /** The thread has processed the events sent so far. */
  | { readonly type: 'more'; readonly job: number }
  | {
      readonly type: 'drawn';
      readonly job: number;
      readonly bytes: Uint8Array;
      readonly policy: string | null;
      readonly unreadable: readonly string[];
    }
  /** `code` is null if the revision does not compile. */
  | { readonly type: 'failed'; readonly job: number; readonly code: DiagramErrorCode | null; readonly message: string };
