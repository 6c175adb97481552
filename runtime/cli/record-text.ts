/** Records as text: for people, and as JSON lines for programs. */
import type { TopicPartition } from '../api/index.ts';
import type { RawRecord } from '../batch/record-reader.ts';

export type RecordFormat = 'json' | 'value' | 'key-value';
export const recordFormats: readonly RecordFormat[] = ['json', 'value', 'key-value'];

export function recordLine(format: RecordFormat, where: TopicPartition, record: RawRecord): string | Uint8Array {
  if (format === 'json') return jsonLine(where, record);
  const parts = format === 'value' ? [record.value] : [record.key, Buffer.from('\t'), record.value];
  return Buffer.concat([...parts.map((part) => part ?? Buffer.from('null')), Buffer.from('\n')]);
}

function jsonLine({ topic, partition }: TopicPartition, { offset, timestamp, key, value, headers }: RawRecord): string {
  const head = `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset},"timestamp":${timestamp}`;
  const shown = headers.map((header) => `{"key":${JSON.stringify(header.key)},"value":${bytesAsJson(header.value)}}`);
  const list = shown.length > 0 ? `,"headers":[${shown.join(',')}]` : '';
  return `${head},"key":${bytesAsJson(key)},"value":${bytesAsJson(value)}${list}}\n`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** JSON as it stands, every digit kept; other text as a string; other bytes as `{"base64":"…"}`. */
export function bytesAsJson(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null';
  const text = textOf(bytes);
  if (text === undefined) return JSON.stringify({ base64: Buffer.from(bytes).toString('base64') });
  if (!isJson(text)) return JSON.stringify(text);
  // Between the parts of a JSON text a line end is only white space, and in its strings there can be none.
  return text.trim().replace(/\s*[\r\n]\s*/g, ' ');
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    // oxlint-disable-next-line no-control-regex -- binary numbers are valid UTF-8 too, with such characters in them
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
