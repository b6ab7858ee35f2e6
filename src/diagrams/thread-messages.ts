import type { View } from '../../machines/views/diagram.ts';
import type { DiagramErrorCode } from './errors.ts';
import type { Format } from './formats.ts';

/** An event of a log; its data as JSON text, which costs least to hand over. */
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
  /** Do events follow, with what an execution made of it? */
  readonly marked: boolean;
}

export type ThreadMessage =
  | DrawMessage
  | { readonly type: 'events'; readonly job: number; readonly events: readonly SerializedEvent[]; readonly last: boolean }
  | { readonly type: 'abandon'; readonly job: number };

export type ThreadAnswer =
  /** The thread is done with the events that it has. */
  | { readonly type: 'more'; readonly job: number }
  | {
      readonly type: 'drawn';
      readonly job: number;
      readonly bytes: Uint8Array;
      readonly policy: string | null;
      readonly unreadable: readonly string[];
    }
  /** `code` is null for what is no problem of pictures: the revision does not compile. */
  | { readonly type: 'failed'; readonly job: number; readonly code: DiagramErrorCode | null; readonly message: string };
