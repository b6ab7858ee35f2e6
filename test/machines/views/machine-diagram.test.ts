import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { machineDiagram } from '../../../machines/views/machine-diagram.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';

/** The ends of a golden log's machine and how they are marked, as it was after its event `at`. */
function ends(name: string, at = Number.POSITIVE_INFINITY): Record<string, string | null> {
  const { document, events } = JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as {
    readonly document: JsonObject;
    readonly events: readonly TimedEvent[];
  };
  const program = compile(normalise(document).workflow, 'r');
  const happenings = new OverlayBuilder(program);
  for (const event of events) if (event.sequence <= at) happenings.apply(event);
  const finals = machineDiagram(program, happenings.overlay).nodes.filter(({ shape: look }) => look === 'final');
  return Object.fromEntries(finals.map((end) => [end.name, end.overlay?.status ?? null]));
}

describe('the diagram of a machine', () => {
  it('marks the end to which the execution came', () => {
    expect(ends('loop-of-three-rounds')).toEqual({ completed: 'done', failed: null, limit_exceeded: null });
    expect(ends('approval-rejected-fails')).toMatchObject({ completed: null, failed: 'failed' });
    expect(ends('limit-exceeded')).toMatchObject({ completed: null, limit_exceeded: 'failed' });
    expect(ends('loop-of-three-rounds', 5)).toEqual({ completed: null, failed: null, limit_exceeded: null });
  });
});
