import { ConfigError } from '../api/index.ts';

/** Steps of a V2 field path (KIP-821): separated by dots; a step with dots stands in backticks, \` is a backtick in it. */
export function fieldPath(text: string): string[] {
  const steps: string[] = [];
  let at = 0;
  while (at <= text.length) {
    const quoted = text[at] === '`';
    const match = quoted ? /`((?:\\`|[^`])*)`(?=\.|$)/y : /([^.]*)/y;
    match.lastIndex = at;
    const found = match.exec(text);
    if (found === null) throw new ConfigError(`field path "${text}": a backtick is not closed before the next dot`);
    steps.push(quoted ? (found[1] ?? '').replaceAll('\\`', '`') : (found[1] ?? ''));
    at += found[0].length + 1;
  }
  return steps.length === 1 && steps[0] === '' ? [] : steps;
}
