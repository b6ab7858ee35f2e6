import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Screen } from '../../../src/cli/terminal/screen.ts';

/** A screen on a terminal or another stream, and its output. */
function screenOn(isTTY: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY });
  const input = Object.assign(new PassThrough(), { isTTY });
  let written = '';
  output.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  return { screen: new Screen(output, input), input, written: () => written };
}

/** The rows a terminal would show; supports the sequences "n rows up" and "clear to the end". */
function rows(text: string): string[] {
  const shown: string[] = [''];
  for (const part of text.replaceAll('\u001b', '␛').split(/(␛\[\d+A|␛\[J|␛\[\?7[lh]|\n)/)) {
    const up = /^␛\[(\d+)A$/.exec(part);
    if (up !== null) shown.length -= Number(up[1]);
    else if (part === '\n') shown.push('');
    else if (part === '␛[J') shown[shown.length - 1] = '';
    else if (!part.startsWith('␛')) shown[shown.length - 1] += part;
  }
  return shown;
}

describe('a screen on a terminal', () => {
  it('keeps the animated part below printed lines', () => {
    const { screen, written } = screenOn(true);
    screen.show(() => ['… fetch', '… score']);
    screen.print('one');
    screen.print('two');
    expect(rows(written())).toEqual(['one', 'two', '… fetch', '… score', '']);
    screen.close();
    expect(rows(written())).toEqual(['one', 'two', '']);
  });

  it('turns wrapping off for the animated part, so that its rows can be erased', () => {
    const { screen, written } = screenOn(true);
    screen.show(() => ['x'.repeat(500)]);
    screen.close();
    expect(written()).toContain(`\u001b[?7l${'x'.repeat(500)}\n\u001b[?7h`);
  });

  it('asks a question and reads one line', async () => {
    const { screen, input, written } = screenOn(true);
    const answer = screen.ask('really? ', { signal: new AbortController().signal, interrupted: () => undefined });
    input.write('yes\n');
    expect(await answer).toBe('yes');
    expect(written()).toContain('really? ');
  });

  it('does not ask a question that is already withdrawn', async () => {
    const { screen, written } = screenOn(true);
    const settled = new AbortController();
    const answer = screen.ask('really? ', { signal: settled.signal, interrupted: () => undefined });
    settled.abort();
    expect(await answer).toBeNull();
    const before = written();
    expect(await screen.ask('again? ', { signal: settled.signal, interrupted: () => undefined })).toBeNull();
    expect(written()).toBe(before);
  });

  it('reads Ctrl-C during a question', async () => {
    const { screen, input } = screenOn(true);
    const settled = new AbortController();
    let interrupted = 0;
    const answer = screen.ask('really? ', {
      signal: settled.signal,
      interrupted: () => {
        interrupted += 1;
        settled.abort();
      },
    });
    input.write('\u0003');
    expect(await answer).toBeNull();
    expect(interrupted).toBe(1);
  });

  it('ends the question when the input ends', async () => {
    const { screen, input } = screenOn(true);
    const answer = screen.ask('really? ', { signal: new AbortController().signal, interrupted: () => undefined });
    input.end();
    expect(await answer).toBeNull();
  });
});

describe('a screen without a terminal', () => {
  it('prints only lines', () => {
    const { screen, written } = screenOn(false);
    expect({ interactive: screen.interactive, animated: screen.animated }).toEqual({ interactive: false, animated: false });
    screen.show(() => ['moving']);
    screen.print('one');
    screen.close();
    expect(written()).toBe('one\n');
  });
});
