import { MAX_MESSAGE_BYTES } from '../../../../store/port/process-messages.ts';
import type { Progress } from '../../../executors/tool-context/progress.ts';
import { type LiveText, partEnd } from '../../activities/local/live-texts.ts';

/** A process has readers of these executions; it repeats that as long as it has. */
export interface Want {
  readonly type: 'want';
  readonly from: string;
  readonly tenant: string;
  readonly ids: readonly string[];
  /** It missed a part: texts begin again. */
  readonly again: boolean;
}

/** A process has no more readers of these executions. */
export interface Leave {
  readonly type: 'leave';
  readonly from: string;
  readonly tenant: string;
  readonly ids: readonly string[];
}

/** A part of the text of an attempt of the sending process; an empty one tells how long the text is. */
export interface Part {
  readonly type: 'part';
  readonly from: string;
  readonly tenant: string;
  readonly id: string;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  /** Which piece of the visit's work; absent = it has only one. */
  readonly item?: number | undefined;
  /** Where it begins in the text, in UTF-16 code units. */
  readonly index: number;
  readonly text: string;
  /** How far the attempt is; null = it has not said, or nothing new. Earlier releases send and read none. */
  readonly progress: Progress | null;
  /** The attempt has ended, and this is the last part. */
  readonly ended: boolean;
}

export type TextMessage = Want | Leave | Part;

/** Ids in one message: they are short, so that many fit. */
const MAX_IDS_BYTES = MAX_MESSAGE_BYTES - 1_000;
const MAX_PART_CHARS = 6_000;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Null = not understood: any client of the database may notify, and other releases may use another format. */
export function parseTextMessage(text: string): TextMessage | null {
  try {
    const message = JSON.parse(text) as Partial<Record<keyof Want | keyof Part, unknown>>;
    const { type, from, tenant, ids, again, id, node, activation, attempt, item, index, text: part, progress, ended } = message;
    if (!isText(from) || !UUID.test(from) || !isText(tenant)) return null;
    if (type === 'part')
      return isText(id) &&
        isText(node) &&
        isCount(activation) &&
        isCount(attempt) &&
        (item === undefined || isCount(item)) &&
        isCount(index) &&
        isText(part) &&
        typeof ended === 'boolean'
        ? { type, from, tenant, id, node, activation, attempt, item, index, text: part, progress: progressIn(progress), ended }
        : null;
    if (!Array.isArray(ids) || !ids.every(isText)) return null;
    if (type === 'leave') return { type, from, tenant, ids };
    return type === 'want' && typeof again === 'boolean' ? { type, from, tenant, ids, again } : null;
  } catch {
    return null;
  }
}

function progressIn(value: unknown): Progress | null {
  if (typeof value !== 'object' || value === null) return null;
  const { fraction, text } = value as Partial<Record<keyof Progress, unknown>>;
  const isFraction = fraction === null || (typeof fraction === 'number' && fraction >= 0 && fraction <= 1);
  return isFraction && (text === null || isText(text)) ? { fraction, text } : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The ids in lists that fit into messages. */
export function idLists(ids: Iterable<string>): readonly (readonly string[])[] {
  const lists: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const id of ids) {
    const length = Buffer.byteLength(JSON.stringify(id)) + 1;
    if (bytes + length > MAX_IDS_BYTES) {
      lists.push([]);
      bytes = 0;
    }
    lists.at(-1)?.push(id);
    bytes += length;
  }
  return lists;
}

/** The part of a text that begins at `index`, as long as fits into a message; `message` = as it is sent. */
export function partAt(
  live: LiveText,
  index: number,
  from: string,
  progress: Progress | null,
): { readonly message: string; readonly end: number } {
  const { tenantId: tenant, executionId: id, node, activation, attempt, item } = live.source;
  for (let chars = MAX_PART_CHARS; ; chars = Math.floor(chars / 2)) {
    const end = partEnd(live.text, index, chars);
    const text = live.text.slice(index, end);
    const ended = live.ended && end === live.text.length;
    const part: Part = { type: 'part', from, tenant, id, node, activation, attempt, item, index, text, progress, ended };
    const message = JSON.stringify(part);
    // Names of nodes have a limit, so that some text always fits.
    if (chars < 4 || Buffer.byteLength(message) <= MAX_MESSAGE_BYTES) return { message, end };
  }
}
