/**
 * Sends the answer to the customer.
 *
 * @param {{ answer: string }} input
 */
export function send_answer({ answer }) {
  return `sent: ${answer}`;
}

/**
 * Hands the question over to a person.
 *
 * @param {{ question: string, reason: string }} input
 */
export function hand_over({ question, reason }) {
  return `for a person: ${question} (${reason})`;
}
