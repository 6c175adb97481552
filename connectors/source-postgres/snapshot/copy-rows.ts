/** Rows as COPY … TO STDOUT sends them, in text format. Source: PostgreSQL, COPY, File Formats. */
import { slotNull } from '@millrace/runtime/api';
import type { Client } from 'pg';

import { ProtocolError } from '../pgoutput/reader.ts';
import type { RecordQueue } from '../records/queue.ts';
import { tapSocket } from '../stream/tap.ts';

const tab = 0x09;
const newline = 0x0a;
const backslash = 0x5c;
const escapes: Readonly<Record<number, number>> = { 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09, 0x76: 0x0b };

/**
 * Notes where the values of one line stand, as `readTuple` does for a tuple. Escapes are undone in place: the
 * values get shorter, and `bytes` is written to. Throws a ProtocolError.
 */
export function readCopyRow(bytes: Uint8Array, start: number, lineEnd: number, columns: number, slots: Int32Array, base: number): void {
  const end = bytes[lineEnd - 1] === newline ? lineEnd - 1 : lineEnd;
  let slot = base;
  let from = start;
  let escaped = false;
  let found = 0;
  for (let at = start; at <= end; at++) {
    const byte = at === end ? tab : bytes[at];
    if (byte === backslash) {
      escaped = true;
      at++;
    } else if (byte === tab) {
      if (++found > columns) break;
      if (!escaped) {
        slots[slot] = from;
        slots[slot + 1] = at;
      } else if (at - from === 2 && bytes[from] === backslash && bytes[from + 1] === 0x4e) {
        slots[slot] = slotNull;
      } else {
        slots[slot] = from;
        slots[slot + 1] = unescape(bytes, from, at);
      }
      slot += 2;
      from = at + 1;
      escaped = false;
    }
  }
  if (columns === 0 && end === start) return;
  if (found !== columns) throw new ProtocolError(`a line of ${found} values for ${columns} columns`);
}

function unescape(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  for (let at = start; at < end; at++) {
    let byte = bytes[at] as number;
    if (byte === backslash && at + 1 < end) {
      at++;
      byte = bytes[at] as number;
      byte = escapes[byte] ?? byte;
    }
    bytes[to++] = byte;
  }
  return to;
}

export interface CopyHandler {
  begin(): void;
  row(bytes: Buffer, start: number, end: number): void;
  /** No more rows for the moment. */
  end?(): void;
}

/** Runs a COPY … TO STDOUT, each row to `handler`; stops reading while the queue is full. */
export async function copyOut(
  client: Client,
  sql: string,
  queue: Pick<RecordQueue, 'isFull' | 'whenRoom'>,
  handler: CopyHandler,
): Promise<void> {
  const failed = Promise.withResolvers<never>();
  const tap = tapSocket(client, {
    begin: () => handler.begin(),
    copyData: (bytes, start, end) => handler.row(bytes, start, end),
    end() {
      handler.end?.();
      if (!queue.isFull) return;
      tap.hold();
      queue.whenRoom(() => tap.release());
    },
    failed: (error) => failed.reject(error),
  });
  try {
    await Promise.race([client.query(sql), failed.promise]);
  } finally {
    tap.remove();
  }
}
