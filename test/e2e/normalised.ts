/** Takes out of Debezium's envelopes what differs each time, and leaves every other byte as it is. */

/** In the text, not in what it parses to: nothing else may be written anew. */
export function withoutTimes(text: string): string {
  return text.replaceAll(/("(?:lsn|txId|ts_ms|ts_us|ts_ns)":)-?\d+/g, '$10').replaceAll(/("sequence":)"\[(?:\\.|[^"\\])*\]"/g, '$1"[]"');
}

/** JSON paths of the leaves that differ. */
export function changedPaths(before: string, after: string): string[] {
  if (before === after) return [];
  return differences(JSON.parse(before), JSON.parse(after), '$');
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (typeof before !== 'object' || before === null || typeof after !== 'object' || after === null) {
    return Object.is(before, after) ? [] : [path];
  }
  const [a, b] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], `${path}.${key}`));
}
