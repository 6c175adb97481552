/** The text that COPY reads. Source: PostgreSQL, COPY, Text Format. */
import type { ByteSink } from '@millrace/runtime/api';

export const tab = 0x09;
export const newline = 0x0a;
export const nullMark = '\\N';

/** What follows the backslash, for each byte that needs one; 0 for all others. */
export function escapesOf(pairs: Readonly<Record<string, string>>): Uint8Array {
  const escapes = new Uint8Array(256);
  for (const [byte, letter] of Object.entries(pairs)) escapes[byte.charCodeAt(0)] = letter.charCodeAt(0);
  return escapes;
}

export const copyEscapes = escapesOf({ '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't' });
export const noEscapes = escapesOf({});

/** Whether what was written from `start` on is no text that COPY would read as it is. */
export function needsCopyEscape({ bytes, position }: ByteSink, start: number): boolean {
  for (let at = start; at < position; at++) if (copyEscapes[bytes[at] as number] !== 0) return true;
  return false;
}
