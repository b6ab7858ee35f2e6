import { Option } from 'clipanion';
import { ROLES } from '../../../server/tokens.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { choiceArgument, durationArgument } from '../../input/arguments.ts';
import { fields } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';

class TokenCreateCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Works with or without a running server. The token is printed once; only its hash is stored.

  operator   reads, writes, administers
  developer  reads and writes
  reviewer, viewer   read
  worker     claims work and reports its outcome, and nothing else`,
    examples: [
      ['Create a token for a program that starts executions', '$0 token create --role developer --name billing --expires-in 30d'],
      ['Create a token for an external worker', '$0 token create --role worker --queue tool --name worker-1'],
      ['Use it in a script', 'JAMJET_TOKEN=$($0 token create --role viewer --json | jq -r .token)'],
    ],
  };

  role = Option.String('--role', { description: `Required: ${ROLES.join(', ')}.` });
  tenant = Option.String('--tenant', 'default', { description: 'Tenant the token gives access to (default: default).' });
  name = Option.String('--name', { description: 'Actor name in events and approvals.' });
  queues = Option.Array('--queue', {
    description: 'With role worker: the only queue whose work it may do; may be repeated (default: all).',
  });
  expiresIn = Option.String('--expires-in', { description: 'Lifetime: 12h, 30d, 4w … (default: no expiry).' });

  async execute(): Promise<number> {
    if (this.role === undefined) throw usageFailure(`--role is missing: give one of ${ROLES.join(', ')}`);
    const role = choiceArgument('--role', this.role, ROLES);
    const expiresAtMs = this.expiresIn === undefined ? null : Date.now() + durationArgument('--expires-in', this.expiresIn);
    const { queues } = this;
    if (queues !== undefined && role !== 'worker') throw usageFailure(`--queue restricts role worker only, not ${role}`);
    const { createToken } = await import('../../../server/admin.ts');
    const { plaintext, row } = await createToken(this.config(), {
      role,
      tenantId: this.tenant,
      ...(this.name === undefined ? {} : { name: this.name }),
      expiresAtMs,
      ...(queues === undefined ? {} : { queues }),
    });
    const expires_at = row.expiresAtMs === null ? null : new Date(row.expiresAtMs).toISOString();
    if (this.json) {
      this.printJson({
        id: row.id,
        token: plaintext,
        role: row.role,
        tenant_id: row.tenantId,
        name: row.name,
        expires_at,
        queues: queues ?? null,
      });
      return EXIT.ok;
    }
    this.print(plaintext);
    this.note(
      fields(
        [
          ['id', row.id],
          ['role', row.role],
          ['tenant', plain(row.tenantId)],
          ['name', plain(row.name)],
          ...(queues === undefined ? [] : [['queues', plain(queues.join(', '))] as const]),
          ['expires', expires_at ?? 'never'],
        ],
        this.paint,
        '  ',
      ),
    );
    this.note('  The token is shown only once: store it now.');
    return EXIT.ok;
  }
}

export { TokenCreateCommand as command };
