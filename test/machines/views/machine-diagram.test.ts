import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { machineDiagram } from '../../../machines/views/machine-diagram.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';

/** The final states of a golden log's machine and their overlays, after the event `at`. */
function ends(name: string, at = Number.POSITIVE_INFINITY): Record<string, string | null> {
  const { document, events } = JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as {
    readonly document: JsonObject;
    readonly events: readonly TimedEvent[];
  };
  const program = compile(normalise(document).workflow, 'r');
  const builder = new OverlayBuilder(program);
  for (const event of events) if (event.sequence <= at) builder.apply(event);
  const finals = machineDiagram(program, builder.overlay).nodes.filter(({ shape: look }) => look === 'final');
  return Object.fromEntries(finals.map((end) => [end.name, end.overlay?.status ?? null]));
}

describe('the diagram of a machine', () => {
  it('marks the final state that was reached', () => {
    expect(ends('loop-of-three-rounds')).toEqual({ completed: 'done', failed: null, limit_exceeded: null });
    expect(ends('approval-rejected-fails')).toMatchObject({ completed: null, failed: 'failed' });
    expect(ends('limit-exceeded')).toMatchObject({ completed: null, limit_exceeded: 'failed' });
    expect(ends('loop-of-three-rounds', 5)).toEqual({ completed: null, failed: null, limit_exceeded: null });
  });
});
