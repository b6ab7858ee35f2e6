import { describe, expect, it } from 'vitest';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, startExecution, step } from '../writes.ts';

function artifact(hash: string, change: Partial<Artifact> = {}): Artifact {
  const content = Buffer.from(`bytes of ${hash}`);
  return { hash, mediaType: 'text/plain', size: content.length, createdAtMs: AT_MS, content, ...change };
}

export function artifactContract(database: () => TestDatabase): void {
  describe('artifacts', () => {
    it('are returned byte for byte, to their tenant only', async () => {
      const { artifacts } = await database().open();
      const given = artifact('a', { content: Buffer.from([0, 255, 10, 13]), size: 4, mediaType: null });
      const { content: _content, ...head } = given;
      expect(await artifacts.put(given, context())).toEqual(head);
      expect(await artifacts.get('default', 'a')).toEqual(given);
      expect(await artifacts.get('acme', 'a')).toBeNull();
      expect(await artifacts.get('default', 'b')).toBeNull();
    });

    it('keep their first media type, and are logged once', async () => {
      const store = await database().open();
      await store.artifacts.put(artifact('a'), context());
      const before = await store.verifyAudit();
      const again = await store.artifacts.put(artifact('a', { mediaType: 'image/png', createdAtMs: AT_MS + 1 }), context());
      expect(again).toMatchObject({ mediaType: 'text/plain', createdAtMs: AT_MS });
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('that a commit offloads are stored with it, and not without it', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { offloaded: [artifact('a'), artifact('b')] })));
      const late = step('exec_1', 9, { offloaded: [artifact('c')] });
      const [first, refused] = await store.commit(batch(step('exec_1', 2, { offloaded: [artifact('a')] }), late));
      expect([first, refused?.reason]).toEqual([null, 'sequence']);
      expect(await store.artifacts.get('default', 'a')).toEqual(artifact('a'));
      expect(await store.artifacts.get('default', 'c')).toBeNull();
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });

    it('are deleted with the last execution that refers to them', async () => {
      const store = await database().open();
      await store.commit(batch(ended('exec_1', AT_MS + 1, 'a', 'b'), ended('exec_2', AT_MS + 2, 'b')));
      await remove(store, AT_MS + 2);
      expect(await store.artifacts.get('default', 'a')).toBeNull();
      expect(await store.artifacts.get('default', 'b')).toEqual(artifact('b'));
      await remove(store, AT_MS + 3);
      expect(await store.artifacts.get('default', 'b')).toBeNull();
    });

    it('that were uploaded stay, before or after they were offloaded', async () => {
      const store = await database().open();
      await store.artifacts.put(artifact('before'), context());
      await store.commit(batch(ended('exec_1', AT_MS + 1, 'before', 'after')));
      await store.artifacts.put(artifact('after'), context());
      await remove(store, AT_MS + 2);
      expect(await store.artifacts.get('default', 'before')).toEqual(artifact('before'));
      expect(await store.artifacts.get('default', 'after')).toEqual(artifact('after'));
    });
  });
}

function ended(id: string, completedAtMs: number, ...hashes: readonly string[]): ExecutionWrite {
  return startExecution(id, {
    progress: { status: 'completed', completedAtMs },
    offloaded: hashes.map((hash) => artifact(hash)),
  });
}

async function remove(store: Store, endedBeforeMs: number): Promise<void> {
  await store.retention.remove({ after: null, endedBeforeMs }, context());
}
