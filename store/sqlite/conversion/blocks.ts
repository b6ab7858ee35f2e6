import type { Database } from 'better-sqlite3';
import { packStreams, parseStreams } from '../../audit/packed-streams.ts';
import { MOVE_BLOCK, OLD_BLOCKS, REMOVE_OLD_BLOCKS } from '../queries/conversion.ts';
import type { MoveBatch } from './move-batch.ts';

const BLOCKS_PER_BATCH = 500;

/** Packs the streams of audit blocks. */
export function moveBlocks(db: Database): MoveBatch {
  const blocks = db.prepare<[number], { block: number; streams: string }>(OLD_BLOCKS);
  const move = db.prepare<[{ block: number; packed: Uint8Array }]>(MOVE_BLOCK);
  const remove = db.prepare<[number]>(REMOVE_OLD_BLOCKS);
  return () => {
    const batch = blocks.all(BLOCKS_PER_BATCH);
    const last = batch.at(-1);
    if (last === undefined) return false;
    for (const { block, streams } of batch) move.run({ block, packed: packed(streams) });
    remove.run(last.block);
    return true;
  };
}

/** Damaged text stays as it is: verification compares the block's hash with what can be read of it. */
function packed(text: string): Uint8Array {
  const streams = parseStreams(text);
  return streams === null ? Buffer.from(text, 'utf8') : packStreams(streams);
}
