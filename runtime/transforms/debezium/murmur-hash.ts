/**
 * The hash of `partition.hash.function=murmur`: MurmurHash3 for 64-bit machines, the upper half of its first word.
 * Source: io.debezium.util.MurmurHash3, whose signed bytes at the end of a key (an oddity of its own) decide, too.
 */
const seed = 9001n;
const start1 = 0x9368_e53c_2f6a_f274n ^ seed;
const start2 = 0x586d_cd20_8f7c_d3fdn ^ seed;

const word = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, by: bigint): bigint => word((value << by) | (value >> (64n - by)));

function finished(value: bigint): bigint {
  let k = value ^ (value >> 33n);
  k = word(k * 0xff51_afd7_ed55_8ccdn);
  k ^= k >> 33n;
  k = word(k * 0xc4ce_b9fe_1a85_ec53n);
  return k ^ (k >> 33n);
}

/** A 32-bit integer, as Java has it. */
export function murmurHash(bytes: Uint8Array): number {
  let [h1, h2] = [start1, start2];
  let [c1, c2] = [0x87c3_7b91_1142_53d5n, 0x4cf5_ad43_2745_937fn];

  function mix(first: bigint, second: bigint): void {
    h1 = word((h1 ^ word(rotated(word(first * c1), 23n) * c2)) + h2);
    h2 = word((rotated(h2, 41n) ^ word(rotated(word(second * c2), 23n) * c1)) + h1);
    h1 = word(h1 * 3n + 0x52dc_e729n);
    h2 = word(h2 * 3n + 0x3849_5ab5n);
    c1 = word(c1 * 5n + 0x7b7d_159cn);
    c2 = word(c2 * 5n + 0x6bce_6396n);
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.length & ~15;
  for (let at = 0; at < tail; at += 16) mix(view.getBigUint64(at, true), view.getBigUint64(at + 8, true));
  if (tail < bytes.length) {
    const ends = [0n, 0n];
    for (let at = tail; at < bytes.length; at++) {
      const place = at - tail;
      const half = place >> 3;
      ends[half] = word((ends[half] as bigint) ^ (BigInt(view.getInt8(at)) << BigInt(8 * (place & 7))));
    }
    mix(ends[0] as bigint, ends[1] as bigint);
  }
  h2 ^= BigInt(bytes.length);
  h1 = word(h1 + h2);
  h2 = word(h2 + h1);
  h1 = finished(h1);
  h2 = finished(h2);
  return Number(BigInt.asIntN(32, word(h1 + h2) >> 32n));
}

/** That of a text, in UTF-8; halves of a character that stand alone are question marks. */
export const murmurHashText = (text: string): number =>
  murmurHash(new TextEncoder().encode(text.isWellFormed() ? text : text.replaceAll(lonely, '?')));

/** That of a hash code, as four bytes. */
export function murmurHashCode(code: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, code, true);
  return murmurHash(bytes);
}

const lonely = /\p{Surrogate}/gu;
