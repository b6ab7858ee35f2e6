/** Sends the answer to the customer. */
export function send_answer({ answer }) {
  return `sent: ${answer}`;
}

/** Hands the question over to a person. */
export function hand_over({ question, reason }) {
  return `for a person: ${question} (${reason})`;
}
