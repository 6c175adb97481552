/**
 * The backend's messages, cut out of what the socket delivers, without an object or a copy for each: CopyData
 * goes to `copyData` as a range of bytes, everything else to `other` as a whole message.
 *
 * Every chunk of a Node socket is memory of its own, so that ranges of it stay valid for as long as somebody
 * holds them; only a message that spans chunks is copied. Source: PostgreSQL, Message Formats (type byte, then
 * a length that counts itself).
 */
import { ProtocolError } from '../pgoutput/reader.ts';

export interface FrameHandler {
  /** The payload of a CopyData message. */
  copyData(bytes: Buffer, start: number, end: number): void;
  /** Any other message, type byte and length included. */
  other(message: Buffer): void;
}

const copyData = 0x64;
// PostgreSQL allows no value beyond 1 GiB; a row may hold more than one, a message never this.
const maxLength = 0x7fff_0000;

export interface FrameCutter {
  /** Cuts the next chunk, from `at` on, until its end or until `handler` asks to stop. Returns where it stopped. */
  cut(chunk: Buffer, at: number): number;
  /** Set by a handler that cannot take more for now: `cut` returns after the current message. */
  stopped: boolean;
}

export function createFrameCutter(handler: FrameHandler): FrameCutter {
  /** The beginning of a message whose end has not come. */
  let parts: Buffer[] = [];
  let have = 0;
  /** Its whole length, or 0 while even that is unknown. */
  let wanted = 0;

  function deliver(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === copyData) handler.copyData(bytes, start + 5, end);
    else handler.other(bytes.subarray(start, end));
  }

  /** Goes on with the message in `parts`; returns where it ends in the chunk. */
  function complete(chunk: Buffer, at: number): number {
    let next = at;
    if (wanted === 0) {
      const need = Math.min(5 - have, chunk.length - next);
      parts.push(chunk.subarray(next, next + need));
      have += need;
      next += need;
      if (have < 5) return next;
      parts = [Buffer.concat(parts)];
      wanted = lengthAt(parts[0] as Buffer, 0);
    }
    const take = Math.min(wanted - have, chunk.length - next);
    parts.push(chunk.subarray(next, next + take));
    have += take;
    next += take;
    if (have === wanted) {
      const message = Buffer.concat(parts, have);
      parts = [];
      have = 0;
      wanted = 0;
      deliver(message, 0, message.length);
    }
    return next;
  }

  const cutter: FrameCutter = {
    stopped: false,
    cut(chunk, from) {
      const { length } = chunk;
      let at = from;
      if (have > 0) at = complete(chunk, at);
      while (!cutter.stopped && at + 5 <= length) {
        const end = at + lengthAt(chunk, at);
        if (end > length) break;
        deliver(chunk, at, end);
        at = end;
      }
      if (!cutter.stopped && at < length) {
        // Copied, so that a small rest does not keep the whole chunk.
        parts = [Buffer.from(chunk.subarray(at))];
        have = length - at;
        wanted = have >= 5 ? lengthAt(chunk, at) : 0;
        at = length;
      }
      return at;
    },
  };
  return cutter;
}

function lengthAt(bytes: Buffer, at: number): number {
  const length =
    ((bytes[at + 1] as number) << 24) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
  if (length < 4 || length > maxLength) throw new ProtocolError(`a message of ${length} bytes`);
  return length + 1;
}
