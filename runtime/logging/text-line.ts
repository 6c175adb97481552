const own = new Set(['level', 'time', 'logger', 'msg']);

/**
 * One log entry as Connect writes it: `[2026-11-22 05:26:08,123] INFO [shop|task-0] message (logger)`. A text of
 * several lines, such as an error's stack, follows below.
 */
export function textLine(entry: Readonly<Record<string, unknown>>): string {
  const time = String(entry['time']).replace('T', ' ').replace('.', ',').replace('Z', '');
  const name = String(entry['logger'] ?? '');
  const isTask = name.includes('|');
  const fields: string[] = [];
  const below: string[] = [];
  for (const [key, value] of Object.entries(entry)) {
    if (own.has(key)) continue;
    if (typeof value === 'string' && value.includes('\n')) below.push(value);
    else fields.push(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  const head = `[${time}] ${String(entry['level'])} ${isTask ? `[${name}] ` : ''}${String(entry['msg'] ?? '')}`;
  const tail = `${fields.length > 0 ? ` {${fields.join(', ')}}` : ''}${isTask || name === '' ? '' : ` (${name})`}`;
  return `${[head + tail, ...below].join('\n')}\n`;
}
