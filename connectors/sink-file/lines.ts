import { ByteSink, SerializedValue, javaText } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';

/** Appends a record's value as the JVM's String.valueOf prints it, and a newline. */
export function writeLine({ value, valueSchema }: SinkRecord, out: ByteSink): void {
  if (value instanceof SerializedValue) out.copy(value.bytes);
  else out.text(typeof value === 'string' ? value : javaText(valueSchema, value));
  out.byte(0x0a);
}

const spares: ByteSink[] = [];
const mostSpares = 2;
const largestSpareBytes = 4 << 20;

/** Room for lines, used again and again: fresh memory has to be cleared by the system. */
export function takeRoom(): ByteSink {
  return spares.pop() ?? new ByteSink(64 * 1024);
}

/** What was written in it is written elsewhere, and no longer wanted. */
export function giveRoom(room: ByteSink): void {
  room.clear();
  if (spares.length < mostSpares && room.bytes.length <= largestSpareBytes) spares.push(room);
}
