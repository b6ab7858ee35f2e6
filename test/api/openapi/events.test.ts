import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, EVENTS, type EventType } from '../../../machines/events/index.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { namedKindForm } from '../../../src/runtime/queries/event-forms.ts';
import { eventViewOf } from '../../../src/runtime/queries/views.ts';
import { goldenNames, isRecorded, readGolden } from '../../support/golden.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const validators = new Map(
  EVENT_TYPES.map((type) => [type, ajv.compile({ ...EVENTS[type].data, additionalProperties: false })] as const),
);

/** Earlier releases left a large state out of the log; the API replays the log to fill it in. */
const REPLAYED: Readonly<Partial<Record<EventType, JsonObject>>> = {
  interrupt_raised: { state_for_review: {} },
  workflow_completed: { final_state: {} },
};

/** `data` as the API returns it. */
function dataOf({ sequence, type, node_id, data: logged, at_ms }: LoggedEvent): unknown {
  const data = { ...REPLAYED[type], ...logged };
  const who = { actorId: 'runtime-1', actorType: 'system', onBehalfOf: null } as const;
  const row = { seq: sequence, type, nodeId: node_id, data, atMs: at_ms, request: null, ...who };
  return namedKindForm(eventViewOf('exec_golden', row, data)).data;
}
type LoggedEvent = Extract<ReturnType<typeof readGolden>, { readonly events: unknown }>['events'][number];

describe('the documented events', () => {
  const seen = new Set<EventType>();

  it.each(goldenNames())('describe every field of the golden log %s', (name) => {
    const golden = readGolden(name);
    const events = isRecorded(golden) ? golden.events : [];
    for (const event of events) {
      seen.add(event.type);
      const validate = validators.get(event.type);
      const valid = validate?.(dataOf(event));
      expect([event, valid, validate?.errors ?? null]).toEqual([event, true, null]);
    }
  });

  it('all occur in golden logs', () => {
    expect([...EVENT_TYPES].filter((type) => !seen.has(type))).toEqual([]);
  });
});
