import { resolve } from 'node:path';
import { Option } from 'clipanion';
import type { UnsignedBlocks } from '../../../server/admin.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT, Failure, usageFailure } from '../../failure.ts';
import { fileProblem } from '../../input/arguments.ts';
import { settings } from '../../input/settings.ts';
import { fields } from '../../terminal/table.ts';
import { count, plain } from '../../terminal/text.ts';
import { AUDIT_FAULTS } from '../../texts/audit.ts';

class AuditVerifyCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Works with or without a running server. Reads the chain of audit blocks from the start and compares every event with the digest in its
block. Exits with 1 at the first invalid block. With JAMJET_AUDIT_SIGNING_KEY, signatures are verified as well; blocks written without the
key are listed, the rest is verified, and the command exits with 1.

Store the printed head elsewhere: it later proves that nothing before it was rewritten.`,
    examples: [
      ['Verify the configured database', '$0 audit verify'],
      ['Verify another database', '$0 audit verify --db /var/lib/jamjet/runtime.db'],
      ['Verify an export, without its database', '$0 audit verify --file audit.jsonl'],
      ['Verify also where an export ends', '$0 audit verify --file audit.jsonl --head 3vJ9…'],
    ],
  };

  file = Option.String('--file', { description: 'Verify an export instead of the database.' });
  head = Option.String('--head', { description: 'With --file: the expected hash of the last block.' });

  async execute(): Promise<number> {
    if (this.file !== undefined && this.db !== undefined) throw usageFailure('give --db or --file, not both');
    if (this.file === undefined && this.head !== undefined) throw usageFailure('--head requires --file');
    return this.file === undefined ? this.#verifyDatabase() : this.#verifyFile(this.file);
  }

  async #verifyDatabase(): Promise<number> {
    const config = this.config();
    const { verifyAudit } = await import('../../../server/admin.ts');
    const { blocks, head, fault, unsigned } = await verifyAudit(config);
    const { chain, block, reason, tenantId, executionId } = fault ?? {};
    if (this.json) {
      const faultJson = fault === null ? null : { chain, block, reason, tenant_id: tenantId, execution_id: executionId };
      this.printJson({ ok: fault === null && unsigned === null, blocks, head, fault: faultJson, unsigned });
    } else if (reason === undefined) {
      this.print(`${this.paint.green('✓')} ${count(blocks, 'block')}, all valid`);
      this.print(fields([['head', head]], this.paint, '  '));
      this.#printUnsigned(unsigned, 'block');
      if (config.auditSigningKey === null) this.note('  Signatures were not verified: JAMJET_AUDIT_SIGNING_KEY is not set.');
    } else {
      this.print(
        `${this.paint.red('✗')} block ${block}${chain === undefined ? '' : ` of ${plain(chain)}`}: ${AUDIT_FAULTS[reason]}`,
      );
      const stream = executionId ?? 'control plane';
      this.print(
        fields(
          [
            ...(tenantId == null ? [] : [['tenant', plain(tenantId)] as const, ['stream', stream] as const]),
            ['valid', count(blocks, 'block')],
            ['head', head],
          ],
          this.paint,
          '  ',
        ),
      );
    }
    return fault === null && unsigned === null ? EXIT.ok : EXIT.failed;
  }

  async #verifyFile(file: string): Promise<number> {
    const config = settings(this.context);
    const { verifyAuditFile } = await import('../../../server/admin.ts');
    const report = await verifyAuditFile(config, resolve(this.context.cwd, file), this.head ?? null).catch((error: unknown) => {
      throw new Failure(`--file ${file}: ${fileProblem(error)}`, { exitCode: EXIT.usage, cause: error });
    });
    const { tenantId, fromBlock, toBlock, events, removed, head, fault, unsigned, sealSigned } = report;
    const isSigned = unsigned === null && sealSigned !== false;
    if (this.json) {
      this.printJson({
        ok: fault === null && isSigned,
        tenant_id: tenantId,
        from_block: fromBlock,
        to_block: toBlock,
        events,
        executions_removed: removed,
        head,
        fault:
          fault === null ? null : { line: fault.line, block: fault.block, reason: fault.reason, execution_id: fault.executionId },
        unsigned,
        seal_signed: sealSigned,
      });
    } else if (fault === null) {
      this.print(`${this.paint.green('✓')} blocks ${fromBlock} to ${toBlock}, all valid`);
      const removedField = removed === 0 ? [] : [['removed', count(removed, 'execution')] as const];
      this.print(
        fields(
          [['tenant', plain(tenantId ?? '')], ['events', String(events)], ...removedField, ['head', head ?? '']],
          this.paint,
          '  ',
        ),
      );
      this.#printUnsigned(unsigned, 'position');
      if (sealSigned === false) this.print(`${this.paint.red('✗')} the seal at the end of the file is not signed`);
      if (config.auditSigningKey === null) this.note('  Signatures were not verified: JAMJET_AUDIT_SIGNING_KEY is not set.');
    } else {
      const where = fault.block === null ? `line ${fault.line}` : `block ${fault.block} (line ${fault.line})`;
      this.print(`${this.paint.red('✗')} ${where}: ${AUDIT_FAULTS[fault.reason]}`);
      if (fault.executionId !== null) this.print(fields([['execution', plain(fault.executionId)]], this.paint, '  '));
    }
    return fault === null && isSigned ? EXIT.ok : EXIT.failed;
  }

  #printUnsigned(unsigned: UnsignedBlocks | null, what: string): void {
    if (unsigned === null) return;
    const ranges = unsigned.ranges.map(({ chain, from, to }) => {
      const which = from === to ? `${what} ${from}` : `${what}s ${from} to ${to}`;
      return chain === undefined ? which : `${which} of ${plain(chain)}`;
    });
    const listed = unsigned.ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    const more = unsigned.blocks - listed;
    if (more > 0) ranges.push(`${count(more, 'block')} more`);
    this.print(`${this.paint.red('✗')} not signed: ${ranges.join(', ')}`);
  }
}

export { AuditVerifyCommand as command };
