// A stand-in for OpenAI, so that the example runs offline: `node examples/product-copy/service.mjs`.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

/** Answers by the form that the prompt asks for: a verdict that gets better, a vote, a number, or a sentence. */
function answerTo(prompt, verdicts) {
  if (prompt.includes('"passed"')) {
    const passed = verdicts % 2 === 1;
    return JSON.stringify({ score: passed ? 0.9 : 0.4, passed, feedback: passed ? '' : 'say what it is made of' });
  }
  if (prompt.includes('"votes": ['))
    return JSON.stringify({ votes: [{ agent: 0, score: 0.8, reason: 'it is down' }], winner: 0 });
  if (prompt.includes('from 1 to 5')) return '4';
  return prompt.includes('made of') ? 'It boils a litre. It is made of steel.' : 'It boils a litre.';
}

export function startService(port = 7798) {
  let verdicts = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return response.writeHead(404).end();
    const { model, messages } = JSON.parse(body);
    const prompt = String(messages.at(-1).content);
    const content = answerTo(prompt, verdicts);
    if (prompt.includes('"passed"')) verdicts += 1;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'chatcmpl-offline',
        object: 'chat.completion',
        created: 0,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 60, completion_tokens: 12, total_tokens: 72 },
      }),
    );
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await startService();
  console.log('answers as a model on http://127.0.0.1:7798/v1');
}
