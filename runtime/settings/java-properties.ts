/**
 * Java's `.properties` text. Source: java.util.Properties.load: comments with `#` or `!`, continuation lines,
 * `=`, `:` or white space between key and value, escapes with `\`, `\uXXXX`; the last of two equal keys wins.
 */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';

/** Throws a ConfigError for a broken `\uXXXX`, naming the line. */
export function parseProperties(text: string): RawConfig {
  const entries = new Map<string, string>();
  for (const { line, number } of logicalLines(text.replace(/^\uFEFF/, ''))) {
    const end = keyEnd(line);
    const value = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    entries.set(unescape(line.slice(0, end), number), unescape(value, number));
  }
  return Object.fromEntries(entries);
}

interface LogicalLine {
  readonly line: string;
  /** Of its first natural line, from 1. */
  readonly number: number;
}

function* logicalLines(text: string): Generator<LogicalLine> {
  let begun: LogicalLine | undefined;
  let number = 0;
  for (const natural of text.split(/\r\n|\n|\r/)) {
    number++;
    const line = natural.replace(/^[ \t\f]+/, '');
    if (begun === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const joined: LogicalLine = { line: (begun?.line ?? '') + line, number: begun?.number ?? number };
    const slashes = /\\*$/.exec(line)?.[0].length ?? 0;
    if (slashes % 2 === 1) {
      begun = { ...joined, line: joined.line.slice(0, -1) };
      continue;
    }
    begun = undefined;
    yield joined;
  }
  if (begun !== undefined) yield begun;
}

function keyEnd(line: string): number {
  let at = 0;
  while (at < line.length && !'=: \t\f'.includes(line[at] as string)) at += line[at] === '\\' ? 2 : 1;
  return Math.min(at, line.length);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function unescape(text: string, line: number): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    if (escaped === 'u') throw new ConfigError(`line ${line}: \\u must be followed by four hexadecimal digits; write \\\\ for a backslash`);
    return escapes[escaped] ?? escaped;
  });
}
