import { FORMATS } from '../diagrams/formats.ts';
import { STATUSES } from './terminal/status.ts';

export interface OptionCompletion {
  /** `-s`, `--status`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
}

export interface CommandCompletion {
  /** `cron list`. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionCompletion[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Commands whose first argument is an execution. */
const TAKES_EXECUTION = [
  'inspect',
  'watch',
  'events',
  'replay',
  'diff',
  'approvals',
  'approve',
  'event',
  'pause',
  'resume',
  'retry',
  'fork',
  'cancel',
];

/** Values of options: fixed words, or what `jamjet __complete` asks the server for. */
const VALUES: readonly { readonly options: readonly string[]; readonly words?: readonly string[]; readonly asks?: string }[] = [
  { options: ['-s', '--status'], words: STATUSES },
  { options: ['--format'], words: FORMATS },
  { options: ['--view'], words: ['workflow', 'machine'] },
  { options: ['--decision'], words: ['approved', 'rejected'] },
  { options: ['--group-by'], words: ['error'] },
  { options: ['-w', '--workflow'], asks: 'workflows' },
  { options: ['--parent', '--resume'], asks: 'ids' },
  { options: ['--node', '--node-id'], asks: 'nodes' },
];

/** A completion script for these commands and their options. Ids, nodes and workflows are asked of the server, everything else is in the script. */
export function completionScript(shell: Shell, commands: readonly CommandCompletion[]): string {
  const words = firstWords(commands);
  switch (shell) {
    case 'bash':
      return bash(words);
    case 'zsh':
      return zsh(words);
    case 'fish':
      return fish(words);
    default: {
      const unhandled: never = shell;
      throw new Error(`no completion for ${String(unhandled)}`);
    }
  }
}

/** A first word: a command, a group of commands, or both. */
interface FirstWord {
  readonly word: string;
  readonly summary: string;
  readonly options: readonly OptionCompletion[];
  readonly verbs: readonly { readonly word: string; readonly summary: string; readonly options: readonly OptionCompletion[] }[];
}

function firstWords(commands: readonly CommandCompletion[]): readonly FirstWord[] {
  const words = new Set(commands.map(({ name }) => name.split(' ', 1)[0] ?? ''));
  return [...words].map((word) => {
    const alone = commands.find(({ name }) => name === word);
    const verbs = commands
      .filter(({ name }) => name.startsWith(`${word} `))
      .map(({ name, summary, options }) => ({ word: name.slice(word.length + 1), summary, options }));
    const summary = alone?.summary ?? verbs.map((verb) => verb.word).join(', ');
    return { word, summary, options: alone?.options ?? [], verbs };
  });
}

function bash(words: readonly FirstWord[]): string {
  const list = (items: readonly { readonly word: string }[]) => items.map(({ word }) => word).join(' ');
  const names = (options: readonly OptionCompletion[]) => options.flatMap((option) => option.names).join(' ');
  const cases = words.map(({ word, options, verbs }) => {
    const own = `      options='${names(options)}'`;
    if (verbs.length === 0) return `    ${word})\n${own}\n      ;;`;
    const inner = verbs.map((verb) => `        ${verb.word}) options='${names(verb.options)}' ;;`).join('\n');
    return `    ${word})
${own}
      ((COMP_CWORD == 2)) && words='${list(verbs)}'
      case \${COMP_WORDS[2]} in
${inner}
      esac
      ;;`;
  });
  return `# jamjet completion for bash
_jamjet() {
  local word=\${COMP_WORDS[COMP_CWORD]} words='' options=''
  ((COMP_CWORD == 1)) && words='${list(words)}'
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  [[ $word == -* ]] && words=$options
  case \${COMP_WORDS[COMP_CWORD-1]} in
${VALUES.map(({ options, words: fixed, asks }) => {
  const value = asks === undefined ? `'${fixed?.join(' ')}'` : `$(jamjet __complete ${asks} "\${COMP_WORDS[2]}" 2>/dev/null)`;
  return `    ${options.join('|')}) words=${value} ;;`;
}).join('\n')}
    ${TAKES_EXECUTION.join('|')}) ((COMP_CWORD == 2)) && [[ $word != -* ]] && words=$(jamjet __complete ids 2>/dev/null) ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _jamjet jamjet
`;
}

function zsh(words: readonly FirstWord[]): string {
  const described = (name: string, text: string) => quoted(`${name.replaceAll(':', '\\:')}:${text}`);
  const list = (items: readonly { readonly word: string; readonly summary: string }[]) =>
    items.map(({ word, summary }) => described(word, summary)).join(' ');
  const names = (options: readonly OptionCompletion[]) =>
    options.flatMap((option) => option.names.map((name) => described(name, option.description))).join(' ');
  const cases = words.map(({ word, options, verbs }) => {
    const own = `      options=(${names(options)})`;
    if (verbs.length === 0) return `    ${word})\n${own}\n      ;;`;
    const inner = verbs.map((verb) => `        ${verb.word}) options=(${names(verb.options)}) ;;`).join('\n');
    return `    ${word})
${own}
      ((CURRENT == 3)) && verbs=(${list(verbs)})
      case $words[3] in
${inner}
      esac
      ;;`;
  });
  return `#compdef jamjet
_jamjet() {
  local -a verbs options
  ((CURRENT == 2)) && verbs=(${list(words)})
  case $words[2] in
${cases.join('\n')}
  esac
  local -a values
  case $words[CURRENT-1] in
${VALUES.map(({ options, words: fixed, asks }) => {
  const value = asks === undefined ? fixed?.join(' ') : `\${(f)"$(jamjet __complete ${asks} "$words[3]" 2>/dev/null)"}`;
  return `    ${options.join('|')}) values=(${value}) ;;`;
}).join('\n')}
    ${TAKES_EXECUTION.join('|')})
      ((CURRENT == 3)) && [[ $words[CURRENT] != -* ]] && values=(\${(f)"$(jamjet __complete ids 2>/dev/null)"}) ;;
  esac
  if ((\${#values})); then
    _describe value values
  elif [[ $words[CURRENT] == -* ]]; then
    _describe -o option options
  elif ((\${#verbs})); then
    _describe command verbs
  else
    _files
  fi
}
if [[ $funcstack[1] == _jamjet ]]; then
  _jamjet "$@"
else
  compdef _jamjet jamjet
fi
`;
}

function fish(words: readonly FirstWord[]): string {
  const option = (condition: string, { names, description, takesValue }: OptionCompletion) =>
    `complete -c jamjet -n ${quoted(condition)} ${names
      .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
      .join(' ')}${takesValue ? ' -r' : ''} -d ${quoted(description)}`;
  const lines = words.flatMap(({ word, summary, options, verbs }) => {
    const all = verbs.map((verb) => verb.word).join(' ');
    const first = `__fish_seen_subcommand_from ${word}`;
    const alone = verbs.length === 0 ? first : `${first}; and not __fish_seen_subcommand_from ${all}`;
    return [
      `complete -c jamjet -f -n __fish_use_subcommand -a ${word} -d ${quoted(summary)}`,
      ...options.map((each) => option(alone, each)),
      ...verbs.flatMap((verb) => [
        `complete -c jamjet -f -n ${quoted(alone)} -a ${verb.word} -d ${quoted(verb.summary)}`,
        ...verb.options.map((each) => option(`${first}; and __fish_seen_subcommand_from ${verb.word}`, each)),
      ]),
    ];
  });
  const values = VALUES.flatMap(({ options, words: fixed, asks }) => {
    const value = asks === undefined ? fixed?.join(' ') : `(jamjet __complete ${asks} (commandline -opc)[3] 2>/dev/null)`;
    return options
      .filter((name) => name.startsWith('--'))
      .map((name) => `complete -c jamjet -l ${name.slice(2)} -r -f -a ${quoted(value ?? '')}`);
  });
  const ids = `complete -c jamjet -n ${quoted(`__fish_seen_subcommand_from ${TAKES_EXECUTION.join(' ')}; and test (count (commandline -opc)) -eq 2`)} -f -a ${quoted('(jamjet __complete ids 2>/dev/null)')}`;
  return `# jamjet completion for fish\n${[...lines, ...values, ids].join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
