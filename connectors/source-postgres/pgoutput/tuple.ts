/** TupleData: a row as PostgreSQL sends it, each column null, unchanged, or text. */
import { slotAbsent, slotNull } from '@millrace/runtime/api';

import { ProtocolError } from './reader.ts';

const nullValue = 0x6e;
const unchanged = 0x75;
const text = 0x74;

/**
 * Notes where each of `columns` values stands in `bytes[start, end)`: pairs of start and end in `slots`, from
 * `base` on. Returns where the tuple ends. Reads nothing beyond `end`. Throws a ProtocolError.
 */
export function readTuple(bytes: Uint8Array, start: number, end: number, columns: number, slots: Int32Array, base: number): number {
  let at = start + 2;
  if (at > end || (((bytes[start] as number) << 8) | (bytes[start + 1] as number)) !== columns)
    throw wrongCount(bytes, start, end, columns);
  let slot = base;
  for (let i = 0; i < columns; i++, slot += 2) {
    const kind = bytes[at];
    if (kind === text) {
      const length =
        ((bytes[at + 1] as number) << 24) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 8) |
        (bytes[at + 4] as number);
      at += 5;
      const next = at + length;
      if (length < 0 || next > end) throw new ProtocolError(`a value of ${length} bytes, ${end - at} left in the message`);
      slots[slot] = at;
      slots[slot + 1] = next;
      at = next;
    } else if (kind === nullValue) {
      slots[slot] = slotNull;
      at++;
    } else if (kind === unchanged) {
      slots[slot] = slotAbsent;
      at++;
    } else {
      throw new ProtocolError(`column ${i} is of an unknown kind (${kind})`);
    }
  }
  if (at > end) throw new ProtocolError('a row that is longer than its message');
  return at;
}

function wrongCount(bytes: Uint8Array, start: number, end: number, columns: number): ProtocolError {
  const found = start + 2 > end ? 'nothing' : `${((bytes[start] as number) << 8) | (bytes[start + 1] as number)} columns`;
  return new ProtocolError(`a row of ${found} for a relation of ${columns} columns`);
}
