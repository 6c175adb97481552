const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** A line without its ending, and where the next one starts. */
export interface Line {
  readonly text: string;
  /** Bytes from the beginning of the input. */
  readonly endPosition: number;
}

/**
 * Cuts bytes into lines ended by `\n`, `\r` or `\r\n`. An unterminated end is kept until more comes, and so is a
 * `\r` that is the last byte so far, since a `\n` may follow. Positions count bytes.
 */
export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** The next whole line, or undefined. */
  next(): Line | undefined;
}

export function lineSplitter(position: number): LineSplitter {
  // What is left over, and room: grown by doubling, so that a line of many chunks is not copied for each of them.
  let bytes: Buffer = Buffer.alloc(0);
  let length = 0;
  let start = 0;
  let scanned = 0;
  let base = position;
  return {
    push(chunk) {
      const rest = length - start;
      const wanted = rest + chunk.length;
      // Made anew, too, once the long line that it had grown for is gone.
      if (wanted > bytes.length || wanted < bytes.length / 8) {
        const larger = Buffer.allocUnsafe(rest === 0 ? wanted : 2 * wanted);
        bytes.copy(larger, 0, start, length);
        bytes = larger;
      } else if (start > 0) {
        bytes.copyWithin(0, start, length);
      }
      bytes.set(chunk, rest);
      length = wanted;
      base += start;
      scanned -= start;
      start = 0;
    },
    next() {
      for (; scanned < length; scanned++) {
        const byte = bytes[scanned];
        if (byte !== lineFeed && byte !== carriageReturn) continue;
        if (byte === carriageReturn && scanned + 1 === length) return undefined;
        const after = scanned + (byte === carriageReturn && bytes[scanned + 1] === lineFeed ? 2 : 1);
        const text = bytes.toString('utf8', start, scanned);
        start = after;
        scanned = after;
        return { text, endPosition: base + after };
      }
      return undefined;
    },
  };
}
