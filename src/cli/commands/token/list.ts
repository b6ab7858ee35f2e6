import { Option } from 'clipanion';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';

class TokenListCommand extends DatabaseCommand {
  static override usage: Usage = {
    examples: [
      ['List the tokens of tenant default', '$0 token list'],
      ['List the tokens of another tenant as JSON', '$0 token list --tenant acme --json'],
    ],
  };

  tenant = Option.String('--tenant', 'default', { description: 'Tenant of the tokens (default: default).' });

  async execute(): Promise<number> {
    const { listTokens } = await import('../../../server/admin.ts');
    const rows = await listTokens(this.config(), this.tenant);
    const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
    if (this.json) {
      const tokens = rows.map((row) => ({
        id: row.id,
        name: row.name,
        role: row.role,
        tenant_id: row.tenantId,
        created_at: time(row.createdAtMs),
        expires_at: time(row.expiresAtMs),
        revoked_at: time(row.revokedAtMs),
        queues: queuesOf(row),
      }));
      this.printJson({ tokens });
      return EXIT.ok;
    }
    if (rows.length === 0) {
      this.note('no tokens');
      return EXIT.ok;
    }
    const nowMs = Date.now();
    const cells = rows.map((row) => [
      row.id,
      plain(row.name),
      rightsOf(row),
      ago(row.createdAtMs, nowMs),
      this.#validity(row, nowMs),
    ]);
    this.print(
      table(
        [{ title: 'TOKEN' }, { title: 'NAME' }, { title: 'ROLE' }, { title: 'CREATED', align: 'right' }, { title: 'VALID' }],
        cells,
        this.paint,
      ),
    );
    return EXIT.ok;
  }

  #validity(row: { readonly revokedAtMs: number | null; readonly expiresAtMs: number | null }, nowMs: number): string {
    if (row.revokedAtMs !== null) return this.paint.dim(`revoked ${ago(row.revokedAtMs, nowMs)}`);
    if (row.expiresAtMs === null) return this.paint.green('yes');
    const date = new Date(row.expiresAtMs).toISOString().slice(0, 10);
    return row.expiresAtMs <= nowMs ? this.paint.dim(`expired ${date}`) : this.paint.green(`until ${date}`);
  }
}

interface Rights {
  readonly role: string;
  readonly queues: string | null;
}

/** Null = all. */
function queuesOf({ queues }: Rights): readonly string[] | null {
  return queues === null ? null : (JSON.parse(queues) as string[]);
}

function rightsOf(row: Rights): string {
  const queues = queuesOf(row);
  return queues === null ? row.role : `${row.role}: ${plain(queues.join(', '))}`;
}

export { TokenListCommand as command };
