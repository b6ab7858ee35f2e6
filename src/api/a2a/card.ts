import { VERSION } from '../../server/config.ts';
import type { PublishedWorkflow } from '../discovery/published.ts';
import type { A2aCard } from '../schemas/a2a.ts';
import { RUN_WORKFLOW } from './message.ts';

/**
 * The card of the runtime, with the workflows that are published as skills. It is valid as a card of A2A 1.0 (`supportedInterfaces`) and of 0.3
 * (`url`, `preferredTransport`).
 */
export function a2aCard(publicUrl: string, published: readonly PublishedWorkflow[]): A2aCard {
  const url = `${publicUrl}/a2a`;
  const modes = ['application/json', 'text/plain'];
  return {
    name: 'JamJet Runtime',
    description:
      'Runs durable workflows. A task is an execution of a workflow: it survives crashes, and waits for people, events and timers.',
    version: VERSION,
    url,
    preferredTransport: 'JSONRPC',
    protocolVersion: '0.3.0',
    supportedInterfaces: [
      { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    ],
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: true },
    defaultInputModes: modes,
    defaultOutputModes: ['application/json'],
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        description: 'An API token of the runtime.',
        httpAuthSecurityScheme: { scheme: 'Bearer', description: 'An API token of the runtime.' },
      },
    },
    security: [{ bearer: [] }],
    securityRequirements: [{ schemes: { bearer: { list: [] } } }],
    skills: [
      {
        id: RUN_WORKFLOW,
        name: 'Run a workflow',
        description:
          'Starts the workflow that metadata.workflow_id names, with the data parts as its input and the text parts as input.text. The artifact is its final state.',
        tags: ['workflow', 'durable'],
        examples: ['{"workflow_id": "research-agent", "input": {"query": "…"}}'],
        inputModes: modes,
        outputModes: ['application/json'],
      },
      ...published.map(({ workflowId, name, description }) => ({
        id: workflowId,
        name,
        description,
        tags: ['workflow'],
        examples: [],
        inputModes: modes,
        outputModes: ['application/json'],
      })),
    ],
  };
}
