import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../../src/executors/mcp/endpoint.ts';

/** A server whose address has a variable, as a document declares it. */
const declared = {
  hub: { transport: 'http_sse' as const, url: ['https://', '{HOST}/mcp'].join('$'), args: [], env: {} },
};

describe('a variable in the address of an MCP server', () => {
  it('is replaced by the value that the operator gives to the tenant', () => {
    expect(endpointOf('hub', { provided: {}, declared, vars: { HOST: 'hub.example' } })).toMatchObject({
      url: 'https://hub.example/mcp',
    });
  });

  it('fails the call when the tenant does not have it', () => {
    expect(() => endpointOf('hub', { provided: {}, declared, vars: {} })).toThrow(
      'MCP server "hub" needs the variable HOST, which JAMJET_WORKFLOW_ENV does not give to this tenant',
    );
  });
});
