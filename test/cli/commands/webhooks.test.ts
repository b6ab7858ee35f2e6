import { describe, expect, it } from 'vitest';
import type { Webhook } from '../../../src/client/index.ts';
import { webServer } from '../../executors/web-server.ts';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const NONE = '00000000-0000-4000-8000-000000000000';

describe('jamjet webhooks', () => {
  const server = runtimeServer(TOOLS);
  const jamjet = (line: string | readonly string[]) => server().jamjet(line).ended;

  async function created(...options: readonly string[]): Promise<Webhook & { readonly secret: string }> {
    const { code, stdout } = await jamjet(['webhooks', 'create', 'https://example.com/hook', '--json', ...options]);
    expect(code).toBe(0);
    return JSON.parse(stdout);
  }

  it('creates a webhook and shows the secret once', async () => {
    const { code, stdout, stderr } = await jamjet(
      'webhooks create https://example.com/hook --events WorkflowCompleted,node_failed --workflow refund',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/url +https:\/\/example\.com\/hook\nevents +WorkflowCompleted, NodeFailed\nworkflow +refund\n/);
    expect(stdout).toMatch(/state +enabled\n[\s\S]*secret +whsec_/);
    expect(stderr).toBe('The secret is shown only once: store it now.\n');
    const list = await jamjet('webhooks list');
    expect(list.stdout).toMatch(/^WEBHOOK +URL +STATE +DELIVERED +WORKFLOW +EVENTS\n/);
    expect(list.stdout).toMatch(/ https:\/\/example\.com\/hook +enabled +never +refund +WorkflowCompleted, NodeFailed\n/);
    expect(list.stdout).not.toContain('whsec_');
  });

  it('updates single fields', async () => {
    const { id, secret } = await created('--workflow', 'refund', '--description', 'pager');
    const update = async (...options: readonly string[]) => {
      const { code, stdout, stderr } = await jamjet(['webhooks', 'update', id, '--json', ...options]);
      return { code, stderr, webhook: stdout === '' ? null : (JSON.parse(stdout) as Webhook & { secret?: string }) };
    };
    expect((await update('--disable')).webhook).toMatchObject({ enabled: false, workflow_id: 'refund', description: 'pager' });
    expect((await jamjet(['webhooks', 'get', id])).stdout).toMatch(/state +disabled\n/);
    const opened = { enabled: true, workflow_id: null, description: null, events: ['*'] };
    expect((await update('--enable', '--workflow', '', '--description', '', '--events', '*')).webhook).toMatchObject(opened);
    const rotated = (await update('--rotate-secret')).webhook?.secret;
    expect(rotated).toMatch(/^whsec_/);
    expect(rotated).not.toBe(secret);
    expect(await update()).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: nothing to change: give --url/) });
    expect(await update('--enable', '--disable')).toMatchObject({ code: 2 });
    expect(await update('--events', 'NodeFailed,,x')).toMatchObject({ code: 2 });
  });

  it('tests and deletes, and reports unknown webhooks', async () => {
    const { id } = await created();
    // The server does not allow private addresses.
    const { url } = await webServer((_request, response) => response.end());
    await jamjet(['webhooks', 'update', id, '--url', url]);
    const tested = await jamjet(['webhooks', 'test', id]);
    expect(tested).toMatchObject({ code: 1, stdout: expect.stringMatching(/^✗ not delivered {2}.*private address/) });
    expect(await jamjet(['webhooks', 'replay', id])).toMatchObject({ code: 0, stderr: 'no failed deliveries\n' });
    expect(await jamjet(['webhooks', 'deliveries', id])).toMatchObject({ code: 0, stderr: 'no deliveries\n' });
    expect(await jamjet(['webhooks', 'delete', id])).toMatchObject({ code: 0, stdout: `✓ deleted  ${id}\n` });
    for (const command of [
      ['get', id],
      ['delete', NONE],
      ['replay', NONE],
      ['test', NONE],
      ['deliveries', NONE],
    ]) {
      const { code, stderr } = await jamjet(['webhooks', ...command]);
      expect([command, code, stderr]).toEqual([
        command,
        1,
        expect.stringContaining('`jamjet webhooks list` lists the webhooks.'),
      ]);
    }
  });

  it('lists failed deliveries and queues them again', async () => {
    const { url } = await webServer((_request, response) => response.end());
    const { id } = JSON.parse((await jamjet(['webhooks', 'create', url, '--json', '--events', 'WorkflowStarted'])).stdout);
    await server().client.registerWorkflow({
      workflow_id: 'waiting',
      version: '1',
      nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } } },
      edges: [{ from: 'wait', to: 'end' }],
    });
    const { execution_id } = await server().client.start({ workflow_id: 'waiting' });
    const watched = server().jamjet(['webhooks', 'deliveries', id, '--status', 'failed', '--watch']);
    await watched.shows('WorkflowStarted');
    watched.signals.emit('SIGINT');
    expect((await watched.ended).code).toBe(130);
    const { stdout } = await jamjet(['webhooks', 'deliveries', id]);
    expect(stdout).toMatch(new RegExp(`${execution_id} +1 +WorkflowStarted +failed +1 .*private address`));
    expect(await jamjet(['webhooks', 'replay', id])).toMatchObject({ code: 0, stdout: '✓ queued  1\n' });
    const [delivery = ''] = /^\S{36}/m.exec(stdout) ?? [];
    const one = await jamjet(['webhooks', 'replay', id, delivery, '--json']);
    expect([0, 1]).toContain(one.code);
    expect((await jamjet(['webhooks', 'get', id])).stdout).toMatch(/state +failing\n[\s\S]*failed +.*private address/);
  });
});

describe('jamjet events --follow', () => {
  const server = runtimeServer(TOOLS);

  it('prints events as they occur, until the execution ends', async () => {
    await server().client.registerWorkflow({
      workflow_id: 'waiting',
      version: '1',
      nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } } },
      edges: [{ from: 'wait', to: 'end' }],
    });
    const { execution_id } = await server().client.start({ workflow_id: 'waiting' });
    const following = server().jamjet(['events', execution_id, '--follow']);
    const some = server().jamjet(['events', execution_id, '--follow', '--type', 'WorkflowCompleted', '--json']);
    await following.shows('workflow_started');
    await server().client.sendEvent(execution_id, { key: 'go', payload: null });
    const { code, stdout } = await following.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/external_event_received[\s\S]*workflow_completed/);
    expect(JSON.parse((await some.ended).stdout)).toMatchObject({ kind: 'WorkflowCompleted' });
  });
});
