const TOOLS = {
  'mail.send': (text) => ({ sent: text }),
  'payments.refund': (order) => ({ refunded: order }),
};

/** @param {{ tool: string, argument: string }} input */
export function call_tool({ tool, argument }) {
  const called = TOOLS[tool];
  if (called === undefined) throw new Error(`there is no tool ${tool}`);
  return called(argument);
}

/** @param {{ text: string }} input */
export function explain({ text }) {
  return { refused: text };
}
