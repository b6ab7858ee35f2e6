const TOOLS = {
  'mail.send': (text) => ({ sent: text }),
  'payments.refund': (order) => ({ refunded: order }),
};

export function call_tool({ tool, argument }) {
  const called = TOOLS[tool];
  if (called === undefined) throw new Error(`there is no tool ${tool}`);
  return called(argument);
}

export function explain({ text }) {
  return { refused: text };
}
