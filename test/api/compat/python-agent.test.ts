import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { chatAnswer, reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { compiledAgent, dispatchToolCalls, initialState, type PythonAgent } from '../../support/python-agent.ts';
import { eventually } from '../../support/runtimes.ts';
import { api } from '../support/api.ts';
import { PythonClient } from '../support/python-client.ts';

const AGENT: PythonAgent = {
  name: 'weather-agent',
  model: 'openai/gpt-4o',
  instructions: 'Answer questions about the weather.',
  tools: [
    {
      name: 'get_weather',
      description: 'Weather of a city.',
      input_schema: { type: 'object', properties: { city: 'string' }, required: ['city'] },
      handler: 'tools.weather:get_weather',
    },
  ],
};

interface Asked {
  readonly messages: readonly JsonObject[];
  readonly tools?: readonly JsonObject[];
}

/** A provider of OpenAI's wire format that asks for the weather of a city per turn, and then answers. */
async function provider(cities: readonly string[]) {
  let turn = 0;
  const server = await webServer((_request, response) => {
    const city = cities[turn];
    turn += 1;
    if (city === undefined) return reply(response, chatAnswer({ content: `After ${turn} turns: cold.` }));
    const call = { id: `call_${turn}`, type: 'function', function: { name: 'get_weather', arguments: JSON.stringify({ city }) } };
    return reply(response, chatAnswer({ content: 'Let me see.', tool_calls: [call] }, 'tool_calls'));
  });
  return { server, asked: () => server.requests.map(({ body }) => JSON.parse(body) as Asked) };
}

async function listening(cities: readonly string[]) {
  const { server, asked } = await provider(cities);
  const models = { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } };
  const opened = await api({ models });
  const url = await opened.app.listen({ host: '127.0.0.1', port: 0 });
  const python = new PythonClient(`${url}/compat`, await opened.token('developer', { name: 'sdk' }));
  const calls: unknown[] = [];
  const work = (): Promise<string> =>
    python.work(
      'python-1',
      ['python_tool'],
      ({ module, function: name, input }: { module: string; function: string; input: JsonObject }) => {
        expect([module, name]).toEqual(['jamjet.agents.tool_runtime', 'dispatch_tool_calls']);
        return dispatchToolCalls(input, (handler, args) => {
          calls.push([handler, args]);
          return `3 degrees in ${String(args.city)}`;
        });
      },
    );
  return { ...opened, python, work, calls, asked };
}

describe('the loop that the Python SDK compiles an agent to', () => {
  it('runs unmodified: the model is asked, a worker calls the tools, the answer is in the state', async () => {
    const { python, work, calls, asked } = await listening(['Oslo', 'Bergen']);
    const answer = await python.runDurable(compiledAgent(AGENT), initialState(AGENT, 'Where is it colder?'), async () => {
      await work();
    });
    expect(answer).toBe('After 3 turns: cold.');
    expect(calls).toEqual([
      ['tools.weather:get_weather', { city: 'Oslo' }],
      ['tools.weather:get_weather', { city: 'Bergen' }],
    ]);
    const [, second, third] = asked();
    expect(second?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool']);
    expect(third?.messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: 'call_2', content: '3 degrees in Bergen' });
    // A provider takes JSON Schema only.
    expect(third?.tools?.[0]).toMatchObject({ function: { parameters: { properties: { city: { type: 'string' } } } } });
  });

  it('ends with a model without tools after the last turn', async () => {
    const { python, work, asked } = await listening(['Oslo', 'Bergen']);
    const answer = await python.runDurable(compiledAgent(AGENT, 2), initialState(AGENT, 'Where is it colder?'), async () => {
      await work();
    });
    expect(answer).toBe('After 3 turns: cold.');
    expect(asked().map(({ tools }) => tools?.length ?? 0)).toEqual([1, 1, 0]);
  });

  it('fails by its budget once it has cost more, after the model that cost it', async () => {
    const { python, work } = await listening(['Oslo']);
    const ir = compiledAgent({ ...AGENT, tokens: 1_000 });
    await python.createWorkflow(ir);
    const { execution_id } = await python.startExecution(ir.workflow_id, initialState(AGENT, 'Oslo?'));
    let execution = await python.getExecution(execution_id);
    await eventually(async () => {
      await work();
      execution = await python.getExecution(execution_id);
      return execution.status !== 'running';
    });
    expect(execution).toMatchObject({ status: 'failed', current_state: { last_model_finish_reason: 'tool_calls' } });
  });
});
