import { Option } from 'clipanion';
import type { Delivery, ReplayedDeliveries } from '../../../client/index.ts';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Without a delivery id, all failed deliveries. A single delivery is sent again even if it was delivered.',
    examples: [
      ['Redeliver everything that failed', '$0 webhooks replay 5c1d2e9a-…'],
      ['Redeliver one delivery', '$0 webhooks replay 5c1d2e9a-… 0199a3b4-…'],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'id' }),
    delivery: Option.String({ name: 'delivery', required: false }),
  }),
  call: async (client, { id, delivery }): Promise<Delivery | ReplayedDeliveries> =>
    delivery === undefined ? client.webhooks.replay(id) : client.webhooks.replayDelivery(id, delivery),
  text: (reply, { paint }) => {
    const queued = paint.green('✓ queued');
    if (!('replayed' in reply)) return `${queued}  ${plain(reply.kind)} of ${reply.execution_id}`;
    return reply.replayed === 0 ? null : `${queued}  ${reply.replayed}`;
  },
  empty: 'no failed deliveries',
});
