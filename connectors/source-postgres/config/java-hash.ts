/** What hashing as Java does takes: names of algorithms, and strings as Java serialises them. */
import { getHashes } from 'node:crypto';

/** Node's name of a MessageDigest algorithm, or undefined. Source: Java Security Standard Algorithm Names. */
export function hashName(algorithm: string): string | undefined {
  const plain = algorithm.toLowerCase();
  const name = plain === 'sha' ? 'sha1' : plain.replace(/^sha-/, 'sha').replace('/', '-');
  return getHashes().find((known) => known.toLowerCase() === name);
}

/** What ObjectOutputStream writes for one string. Source: Java Object Serialization Specification, chapter 6. */
export function serializedString(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  const long = bytes.length > 0xffff;
  const head = Buffer.alloc(long ? 13 : 7);
  head.writeUInt32BE(0xaced0005);
  head[4] = long ? 0x7c : 0x74;
  if (long) head.writeBigUInt64BE(BigInt(bytes.length), 5);
  else head.writeUInt16BE(bytes.length, 5);
  return Buffer.concat([head, bytes]);
}

/** UTF-8 of each UTF-16 unit by itself, and two bytes for U+0000. Source: java.io.DataInput. */
function modifiedUtf8(text: string): Buffer {
  // eslint-disable-next-line no-control-regex -- U+0000 is what is looked for
  if (!/[\u0000\ud800-\udfff]/.test(text)) return Buffer.from(text);
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit !== 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}
