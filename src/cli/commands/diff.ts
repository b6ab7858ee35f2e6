import { Option } from 'clipanion';
import type { JamjetClient, PastState } from '../../client/index.ts';
import { stateDiff } from '../../views/state-diff.ts';
import { ReadOnlyCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { sequenceArgument } from '../input/arguments.ts';
import { executionIdOf } from '../input/execution-id.ts';
import { paintStatus } from '../terminal/status.ts';
import { changeText } from '../texts/diff.ts';

/** A point in the log of an execution; without a sequence, the end. */
interface Point {
  readonly id: string;
  readonly at: number | undefined;
}

class DiffCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `A point is an event sequence of one execution, or an execution written as ID or ID@SEQUENCE. Paths are JSON pointers. With --json, the
changes are printed as a JSON patch (RFC 6902), each with the previous value (\`old\`).`,
    examples: [
      ['Compare two points of one execution', '$0 diff exec_0199… 4 12'],
      ['Compare a point with the current state', '$0 diff exec_0199… 4'],
      ['Compare two executions', '$0 diff exec_0199… exec_0200…'],
      ['Compare points of two executions', '$0 diff exec_0199…@12 exec_0200…@12'],
    ],
  };

  points = Option.Rest({ name: 'point', required: 2 });

  protected async request(client: JamjetClient): Promise<number> {
    const [from, to] = await Promise.all(
      pointsOf(this.points).map(async ({ id, at }): Promise<Point> => ({ id: await executionIdOf(client, id), at })),
    );
    if (from === undefined || to === undefined) throw new Error('internal error: two points were parsed');
    const before = await client.history.state(from.id, from.at);
    const after = await client.history.state(to.id, to.at);
    const changes = stateDiff(before.state, after.state);
    if (this.json) {
      this.printJson(changes);
      return EXIT.ok;
    }
    const { paint } = this;
    this.print(`${paint.red('-')} ${this.#pointText(before)}\n${paint.green('+')} ${this.#pointText(after)}\n`);
    if (changes.length === 0) this.print(paint.dim('no differences'));
    for (const change of changes) this.print(changeText(change, paint));
    return EXIT.ok;
  }

  #pointText({ execution_id, sequence, status }: PastState): string {
    return `${execution_id} at ${sequence}, ${paintStatus(status, this.paint)}`;
  }
}

function pointsOf(given: readonly string[]): readonly [Point, Point] {
  const [first = '', second = '', third] = given;
  if (given.length > 3) throw usageFailure('too many points: give two', 'jamjet diff --help shows examples.');
  if (third !== undefined) {
    const at = (text: string): Point => ({ id: first, at: sequenceArgument('the sequence', text) });
    return [at(second), at(third)];
  }
  if (/^\d{1,15}$/.test(second))
    return [
      { id: first, at: sequenceArgument('the sequence', second) },
      { id: first, at: undefined },
    ];
  return [pointOf(first), pointOf(second)];
}

function pointOf(text: string): Point {
  const at = text.lastIndexOf('@');
  if (at === -1) return { id: text, at: undefined };
  return { id: text.slice(0, at), at: sequenceArgument('the sequence', text.slice(at + 1)) };
}

export { DiffCommand as command };
