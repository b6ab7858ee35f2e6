import { Option } from 'clipanion';
import { isObject } from '../../../../machines/json.ts';
import type { NodePolicy, readTenantPolicy } from '../../../authoring/policy-report.ts';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { jsonArgument } from '../../input/arguments.ts';
import { readValidWorkflow } from '../../input/workflow-file.ts';
import { table } from '../../terminal/table.ts';
import { count, plain } from '../../terminal/text.ts';

/** What the policies of one workflow of the file decide. */
interface WorkflowPolicies {
  readonly workflow_id: string;
  readonly nodes: readonly NodePolicy[];
}

type TenantPolicy = ReturnType<typeof readTenantPolicy>['policy'];

class PolicyCheckCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Shows what the policies of the nodes, of the workflow and of the tenant decide, the narrowest first. Needs no server. Fails if a node is
blocked, or if the file has an error.`,
    examples: [
      ['Check a file', '$0 policy check workflow.yaml'],
      ['Check it for a tenant', '$0 policy check workflow.yaml --tenant-policy policy.json'],
      [
        'List the nodes that need an approval',
        `$0 policy check workflow.yaml --json | jq '.[].nodes[] | select(.decision == "require_approval")'`,
      ],
    ],
  };

  file = Option.String({ name: 'file' });
  tenantPolicy = Option.String('--tenant-policy', {
    description: 'File with the policy of the tenant (JSON); - = standard input.',
  });
  output = Option.String('--output', 'text', { description: 'text (the default) or json, the same as --json.' });

  async execute(): Promise<number> {
    if (!['text', 'json'].includes(this.output)) throw usageFailure('--output must be text or json');
    const { workflows: units } = await readValidWorkflow(this.file, this.context, { warnings: false });
    const { policyReport } = await import('../../../authoring/policy-report.ts');
    const tenant = await this.#tenant();
    const checked = units.map(({ document }): WorkflowPolicies => {
      return { workflow_id: String(document.workflow_id), nodes: policyReport(document, tenant) };
    });
    if (this.json || this.output === 'json') this.printJson(checked);
    else this.print(checked.map((one) => this.#text(one)).join('\n\n'));
    return checked.some(({ nodes }) => nodes.some(({ decision }) => decision === 'block')) ? EXIT.failed : EXIT.ok;
  }

  async #tenant(): Promise<TenantPolicy> {
    if (this.tenantPolicy === undefined) return null;
    const { readTenantPolicy } = await import('../../../authoring/policy-report.ts');
    const file = this.tenantPolicy === '-' ? '-' : `@${this.tenantPolicy}`;
    const given = await jsonArgument('--tenant-policy', file, this.context);
    if (!isObject(given)) throw usageFailure('--tenant-policy must be a JSON object');
    const { policy, problem } = readTenantPolicy(given);
    if (problem !== null) throw usageFailure(`--tenant-policy: ${problem}`);
    return policy;
  }

  #text({ workflow_id, nodes }: WorkflowPolicies): string {
    const { paint } = this;
    const columns = ['node', 'kind', 'decision', 'policy', 'rule', 'names'].map((title) => ({ title }));
    const rows = nodes.map(({ node_id, kind, decision, scope, rule, glob, names, calls_tools }) => [
      plain(node_id),
      kind,
      decision === 'block' ? paint.red('block') : decision === 'allow' ? paint.green('allow') : paint.yellow('approval'),
      scope ?? '',
      rule === null ? '' : plain(`${rule}: ${glob ?? 'no match'}`),
      plain([...names, ...(calls_tools ? ['each tool that the model asks for'] : [])].join(', ')),
    ]);
    const of = (wanted: string): number => nodes.filter(({ decision }) => decision === wanted).length;
    const summary = `${count(of('allow'), 'node')} allowed, ${of('require_approval')} need approval, ${of('block')} blocked`;
    return `${paint.bold(plain(workflow_id))}\n${table(columns, rows, paint)}\n${paint.dim(summary)}`;
  }
}

export { PolicyCheckCommand as command };
