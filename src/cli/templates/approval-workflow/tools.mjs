/** Stands for the service that sends mail. The idempotency key keeps a repeated attempt from sending twice. */
export function send_reply({ text }, { idempotencyKey }) {
  return { sent: text, key: idempotencyKey };
}
