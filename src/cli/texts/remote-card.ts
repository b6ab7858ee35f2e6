import type { RemoteCard } from '../../server/a2a-probe.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields } from '../terminal/table.ts';
import { count, cut, plain } from '../terminal/text.ts';

/** The card of a remote agent, for people. */
export function remoteCardText(card: RemoteCard, paint: Paint): string {
  const given: readonly (readonly [string, string])[] = [
    ['description', plain(card.description)],
    ['url', plain(card.url)],
    ['protocols', plain(card.protocols.join(', '))],
    ['streaming', card.streaming ? 'yes' : 'no'],
    ['input', plain(card.input_modes.join(', '))],
  ];
  const title = `${paint.bold(plain(card.name))} ${plain(card.version)}, ${count(card.skills.length, 'skill')}`;
  const skills = card.skills.map(({ id, name, description }) => [plain(id), cut(plain(description || name), 100)] as const);
  const shown = given.filter(([, value]) => value !== '');
  return `${title}\n\n${fields(shown, paint)}${skills.length === 0 ? '' : `\n\n${fields(skills, paint, '  ')}`}`;
}
