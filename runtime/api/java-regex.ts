import { ConfigError } from './errors.ts';

/**
 * java.util.regex patterns and replacements on JavaScript's: the two agree on nearly everything that configs hold.
 * Throws a ConfigError for what has no counterpart (possessive quantifiers, atomic groups) and for bad syntax.
 */
export interface JavaPattern {
  /** Matcher.matches: the whole text. */
  matches(text: string): boolean;
  /** Matcher.find, at the first place. */
  find(text: string): RegExpExecArray | null;
  /** Matcher.replaceFirst, with `$1` and `${name}` in the replacement. */
  replaceFirst(text: string, replacement: string): string;
  /** The expression as JavaScript has it. */
  readonly source: string;
}

export function javaPattern(pattern: string): JavaPattern {
  const { source, flags } = translate(pattern);
  const compile = (text: string): RegExp => {
    try {
      return new RegExp(text, flags);
    } catch (cause) {
      throw new ConfigError(`"${pattern}" is not a regular expression that can be used here: ${(cause as Error).message}`, { cause });
    }
  };
  const anywhere = compile(source);
  const whole = compile(`^(?:${source})$`);
  return {
    source,
    matches: (text) => whole.test(text),
    find: (text) => anywhere.exec(text),
    replaceFirst(text, replacement) {
      const match = anywhere.exec(text);
      if (match === null) return text;
      return text.slice(0, match.index) + expand(replacement, match) + text.slice(match.index + match[0].length);
    },
  };
}

/** A rule of a config table: why the value is no expression that {@link javaPattern} takes. Null passes. */
export function badPattern(pattern: unknown): string | undefined {
  if (pattern === null || pattern === undefined) return undefined;
  try {
    javaPattern(String(pattern));
    return undefined;
  } catch (error) {
    return `Invalid regex: ${(error as Error).message}`;
  }
}

function translate(pattern: string): { source: string; flags: string } {
  let flags = '';
  let rest = pattern;
  const inline = /^\(\?([imsu]+)\)/.exec(rest);
  if (inline !== null) {
    flags = (inline[1] ?? '').replace('u', '');
    rest = rest.slice(inline[0].length);
  }
  rest = rest.replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, literal: string) => literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const bare = rest.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  if (/([*+?]|\{\d+,?\d*\})\+|\(\?>/.test(bare)) {
    throw new ConfigError(`"${pattern}": possessive quantifiers and atomic groups are not supported here`);
  }
  rest = rest.replace(/\\([AzZ])/g, (_, anchor: string) => (anchor === 'A' ? '^' : '$'));
  rest = rest.replace(/\\p\{(Alpha|Digit|Alnum|Upper|Lower|Punct|Space)\}/g, (_, name: keyof typeof posix) => posix[name]);
  if (/\\[pP]\{/.test(rest)) flags += 'u';
  return { source: rest, flags };
}

const posix = {
  Alpha: '[A-Za-z]',
  Digit: '[0-9]',
  Alnum: '[A-Za-z0-9]',
  Upper: '[A-Z]',
  Lower: '[a-z]',
  Punct: '[!-/:-@\\[-`{-~]',
  Space: '\\s',
} as const;

/** Matcher.appendReplacement: `$12` means group 1 and a "2" where there are fewer than 12 groups. */
function expand(replacement: string, match: RegExpExecArray): string {
  return replacement.replace(/\\(.)|\$\{([A-Za-z][A-Za-z0-9]*)\}|\$(\d+)|\$/g, (all, escaped?: string, name?: string, digits?: string) => {
    if (escaped !== undefined) return escaped;
    if (name !== undefined) {
      if (match.groups === undefined || !(name in match.groups))
        throw new ConfigError(`replacement "${replacement}": the pattern has no group "${name}"`);
      return match.groups[name] ?? '';
    }
    if (digits === undefined)
      throw new ConfigError(`replacement "${replacement}": "${all}" must be followed by a group, or be written \\$`);
    let used = digits.length;
    while (used > 1 && Number(digits.slice(0, used)) >= match.length) used--;
    const group = Number(digits.slice(0, used));
    if (group >= match.length) throw new ConfigError(`replacement "${replacement}": the pattern has no group ${group}`);
    return (match[group] ?? '') + digits.slice(used);
  });
}
