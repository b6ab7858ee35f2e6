import { pascalCase } from '../../../machines/events/index.ts';
import type { DeliveryRow, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { present, withDefaults } from '../operations/codec.ts';
import { DELIVERIES_PAGE, WEBHOOKS } from '../operations/webhooks.ts';
import { eventTypes } from '../requests/event-filter.ts';
import { limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

const ALL = '*';
const DEFAULTS = { events: [ALL], workflowId: null, description: null, enabled: true };

export const webhookRoutes = implement(WEBHOOKS, {
  'POST /webhooks': async ({ body, context }, { control: { webhooks } }) => {
    const definition = withDefaults(body, DEFAULTS);
    return shown(await webhooks.create({ ...definition, events: kindsOf(definition.events) }, context));
  },

  'GET /webhooks': async ({ tenantId }, { control: { webhooks } }) => ({ webhooks: (await webhooks.list(tenantId)).map(shown) }),

  'GET /webhooks/:id': async ({ params, tenantId }, { control: { webhooks } }) => shown(await webhooks.get(tenantId, params.id)),

  'PUT /webhooks/:id': async ({ params, body, context }, { control: { webhooks } }) => {
    const { rotateSecret = false, events = null, ...fields } = body;
    const change = { ...fields, ...present({ events: events && kindsOf(events) }) };
    const row = await webhooks.update(params.id, change, { rotateSecret }, context);
    return { ...shown(row), secret: rotateSecret ? row.secret : null };
  },

  'DELETE /webhooks/:id': async ({ params: { id }, context }, { control: { webhooks } }) => {
    await webhooks.remove(id, context);
    return { id, deleted: true as const };
  },

  'POST /webhooks/:id/test': async ({ params: { id }, context }, { control: { webhooks } }) => ({
    webhookId: id,
    ...(await webhooks.test(id, context)),
  }),

  'GET /webhooks/:id/deliveries': async ({ params, query, tenantId }, { control: { webhooks } }) => {
    const { limit, cursor = null, status = null } = query;
    const size = limitOf(limit, DELIVERIES_PAGE);
    const page = { ...present({ status, before: cursor }), limit: size + 1 };
    const rows = await webhooks.deliveries(tenantId, params.id, page);
    const deliveries = rows.slice(0, size).map(shownDelivery);
    return { deliveries, nextCursor: rows.length > size ? (deliveries.at(-1)?.id ?? null) : null };
  },

  'POST /webhooks/:id/deliveries/:delivery_id/replay': async ({ params, context }, { control: { webhooks } }) =>
    shownDelivery(await webhooks.replay(params.id, params.deliveryId, context)),

  'POST /webhooks/:id/replay': async ({ params: { id }, context }, { control: { webhooks } }) => ({
    webhookId: id,
    replayed: await webhooks.replayFailed(id, context),
  }),
});

/** In stored form: snake_case, without duplicates, `*` alone. Throws `bad_request`. */
function kindsOf(kinds: readonly string[]): readonly string[] {
  const types = eventTypes(kinds.filter((kind) => kind !== ALL));
  return kinds.includes(ALL) ? [ALL] : [...types];
}

function shown(row: WebhookRow) {
  const events = row.events.map((type) => (type === ALL ? ALL : pascalCase(type)));
  return { ...row, events, failuresInARow: row.failures };
}

function shownDelivery(row: DeliveryRow) {
  return { ...row, sequence: row.seq, kind: pascalCase(row.type) };
}
