import { Option } from 'clipanion';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

class TokenRevokeCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: 'Running servers reject the token within seconds. `jamjet token list` lists the ids.',
    examples: [['Revoke a token by its id', '$0 token revoke 5c1d2e9a-…']],
  };

  id = Option.String({ name: 'id' });
  tenant = Option.String('--tenant', 'default', { description: 'Tenant of the token (default: default).' });

  async execute(): Promise<number> {
    const { revokeToken } = await import('../../../server/admin.ts');
    await revokeToken(this.config(), this.tenant, this.id);
    if (this.json) this.printJson({ id: this.id, revoked: true });
    else this.print(`${this.paint.green('✓')} revoked ${plain(this.id)}`);
    return EXIT.ok;
  }
}

export { TokenRevokeCommand as command };
