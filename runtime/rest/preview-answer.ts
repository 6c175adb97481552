/** What a preview is asked with, and how it is told. */
import { RequestError } from '../ports/herder.ts';
import type { Preview, PreviewOptions, ShownBytes } from '../ports/preview.ts';

export const previewLimits = {
  records: { usual: 10, most: 1_000 },
  timeoutMs: { usual: 10_000, least: 100, most: 60_000 },
} as const;

/** `?records=20&timeoutMs=5000`. Throws a RequestError (400) for anything else. */
export function previewOptionsOf(query: URLSearchParams): PreviewOptions {
  const unknown = [...query.keys()].find((key) => !['records', 'timeoutMs', 'forward'].includes(key));
  if (unknown !== undefined) throw new RequestError(400, `Unknown query parameter "${unknown}": there are records and timeoutMs`);
  const { records, timeoutMs } = previewLimits;
  return {
    records: wholeOf(query, 'records', 1, records.most) ?? records.usual,
    timeoutMs: wholeOf(query, 'timeoutMs', timeoutMs.least, timeoutMs.most) ?? timeoutMs.usual,
  };
}

function wholeOf(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new RequestError(400, `"${name}" must be a whole number from ${least} to ${most}, but is "${text}"`);
}

/**
 * The answer: `{records, dropped, timedOut, notes}`. Keys, values and headers are `{"json": …}` with every digit as it
 * would be written, `{"text": "…"}`, `{"base64": "…"}` or null, with `cutFrom` where that is not all.
 */
export function previewJson({ records, dropped, timedOut, notes }: Preview): string {
  const shown = records.map((record) => {
    if ('error' in record) return JSON.stringify(record);
    const { topic, partition, timestamp, key, value, headers } = record;
    const list = headers.map((header) => `{"key":${JSON.stringify(header.key)},"value":${bytesJson(header.value)}}`);
    const head = JSON.stringify({ topic, partition, timestamp }).slice(0, -1);
    return `${head},"key":${bytesJson(key)},"value":${bytesJson(value)},"headers":[${list.join(',')}]}`;
  });
  return `{"records":[${shown.join(',')}],${JSON.stringify({ dropped, timedOut, notes }).slice(1)}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesJson(shown: ShownBytes | null): string {
  if (shown === null) return 'null';
  const { bytes, cutFrom } = shown;
  const cut = cutFrom === undefined ? '' : `,"cutFrom":${cutFrom}`;
  const text = textOf(cutFrom === undefined ? bytes : wholeCharacters(bytes));
  if (text === undefined) return `{"base64":${JSON.stringify(Buffer.from(bytes).toString('base64'))}${cut}}`;
  // As it stands: to parse it and write it again would lose digits, and keys that come twice.
  if (cutFrom === undefined && isJson(text)) return `{"json":${text.trim()}}`;
  return `{"text":${JSON.stringify(text)}${cut}}`;
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

/** A character that is cut in two would make text look like bytes. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, Math.max(0, end - 1));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
