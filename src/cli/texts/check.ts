import type { CheckReport } from '../../server/databases.ts';
import type { Paint } from '../terminal/paint.ts';
import { count, plain } from '../terminal/text.ts';
import { AUDIT_FAULTS } from './audit.ts';

/** The result of `db check` and `db copy` as JSON. */
export function checkJson({ executions, differing, audit: { blocks, head, fault, unsigned } }: CheckReport) {
  return {
    ok: differing.length === 0 && fault === null,
    executions,
    differing: differing.map((one) => ({
      tenant_id: one.tenantId,
      execution_id: one.executionId,
      workflow_id: one.workflowId,
      difference: one.difference,
    })),
    audit: {
      blocks,
      head,
      fault:
        fault === null
          ? null
          : {
              chain: fault.chain,
              block: fault.block,
              reason: fault.reason,
              tenant_id: fault.tenantId,
              execution_id: fault.executionId,
            },
      ...(unsigned === null ? {} : { unsigned }),
    },
  };
}

/** The result as text: one line per check and one per difference. */
export function checkText(
  { executions, differing, audit }: CheckReport,
  { all, paint }: { readonly all: boolean; readonly paint: Paint },
): string {
  const mark = (good: boolean): string => (good ? paint.green('✓') : paint.red('✗'));
  const replayed = count(executions, all ? 'execution' : 'live execution');
  const found = differing.map(
    ({ tenantId, executionId, difference }) =>
      `  ${executionId} ${paint.dim(`(${plain(tenantId)})`)}: ${plain(difference ?? '')}`,
  );
  const { blocks, fault, unsigned } = audit;
  const notSigned = unsigned === null ? '' : `, ${unsigned.blocks} of them not signed`;
  const where = fault?.executionId ?? (fault?.tenantId == null ? null : `the control plane of ${plain(fault.tenantId)}`);
  return [
    `${mark(differing.length === 0)} ${replayed} replayed${differing.length === 0 ? '' : `, ${differing.length} of them differ from the stored state`}`,
    ...found,
    fault === null
      ? `${mark(true)} ${count(blocks, 'audit block')}, all valid${notSigned}`
      : `${mark(false)} audit block ${fault.block}${fault.chain === undefined ? '' : ` of ${plain(fault.chain)}`}: ${AUDIT_FAULTS[fault.reason]}${where === null ? '' : ` (${where})`}`,
  ].join('\n');
}
