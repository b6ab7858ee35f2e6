/** One instruction: `COPY`, and `package.json ./`. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  /** `build` of `FROM … AS build`; else its number. */
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile. Throws for what is no instruction. */
export function stagesOf(source: string): readonly Stage[] {
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  const lines = source
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  for (const line of lines.filter((each) => each.trim() !== '')) {
    const [, name, text] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === undefined || text === undefined) throw new Error(`no instruction: ${line}`);
    const [, image, alias] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? [];
    if (name === 'FROM' && image !== undefined) stages.push({ name: alias ?? String(stages.length), image, instructions: [] });
    else if (name !== 'ARG') {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
      stage.instructions.push({ name, text });
    }
  }
  return stages;
}

/** The words of an exec form: `["node", "bin.js"]`. */
export function execForm(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[];
}

/** The only instruction of that name. */
export function only({ instructions }: Stage, name: string): string {
  const [found, ...more] = instructions.filter((each) => each.name === name);
  if (found === undefined || more.length > 0) throw new Error(`${more.length === 0 ? 'no' : 'more than one'} ${name}`);
  return found.text;
}
