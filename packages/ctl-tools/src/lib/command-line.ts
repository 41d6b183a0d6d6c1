/** Command lines as text: for logs, and for what a shell's completion asks. */
import { readFileSync } from 'node:fs';
import type { OptionSpec } from '@ovs-node/common/getopt';
import type { CtlCommand } from './ctl-command.js';

/** Words as one line: those with spaces, quotes or backslashes in them are quoted. */
export function quoteWords(words: readonly string[]): string {
  return words
    .map((word) => (/[\s\\'"]/.test(word) ? `"${word.replace(/[\\"]/g, '\\$&')}"` : word))
    .join(' ');
}

/** Name of the program that started this one, where the system tells. */
export function invoker(): string | undefined {
  try {
    return readFileSync(`/proc/${process.ppid}/comm`, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The table of commands as the completion of a shell reads it (`--commands`): a line `OPTIONS,NAME,ARGUMENTS` each,
 * every argument after a sign: `!` one, `?` at most one, `+` one or more, `*` any number.
 */
export function commandsText<C>(commands: readonly CtlCommand<C>[]): string {
  return commands
    .map(({ name, usage, options = [] }) => {
      const flags = options.map((option) => `[--${option.name}${option.arg === undefined ? '' : '='}] `);
      return `${flags.join('')},${name},${argumentSigns(usage)}\n`;
    })
    .join('');
}

function argumentSigns(usage: string): string {
  return usage
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const many = word.endsWith('...');
      const bare = many ? word.slice(0, -3) : word;
      const whole = /^\[(.*)\]$/.exec(bare)?.[1];
      // `[KEY=]VALUE` and `COLUMN[:KEY]` are one argument with an optional part.
      const isOptional = whole !== undefined && !/^[^[]*\][^\]]*$/.test(whole);
      const sign = isOptional ? (many ? '*' : '?') : many ? '+' : '!';
      return sign + (isOptional ? whole : bare).replace(/\[([^\]]*)\]/g, '?$1');
    })
    .join(' ');
}

/** The global options as completion reads them (`--options`): one form of one option a line. */
export function optionsText(options: readonly OptionSpec[]): string {
  return options
    .map(({ name, short, arg = 'none' }) => {
      const long = `--${name}${arg === 'none' ? '' : '=ARG'}\n`;
      return short === undefined ? long : `${long}-${short}${arg === 'none' ? '' : ' ARG'}\n`;
    })
    .join('');
}
