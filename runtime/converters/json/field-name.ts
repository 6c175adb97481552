import { ByteSink, DataError } from '../../api/index.ts';
import { writeString } from './text.ts';

/** A field's name as JSON text, after the comma or brace that comes before it and before its colon. */
export function fieldLead(name: string, index: number): Uint8Array {
  const out = new ByteSink(32);
  out.byte(index === 0 ? 0x7b : 0x2c);
  writeString(out, name);
  out.byte(0x3a);
  return out.written().slice();
}

/** Names the field in a bad record's error, from the inside out. */
export function inField(error: unknown, name: string): unknown {
  return error instanceof DataError ? new DataError(`field "${name}": ${error.message}`, { cause: error }) : error;
}
