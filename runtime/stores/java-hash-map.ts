/**
 * Java's serialised form of one shape: a `HashMap<byte[], byte[]>`, as Connect's standalone offset file holds it.
 * Sources: "Java Object Serialization Specification", chapter 6; java.util.HashMap.writeObject;
 * org.apache.kafka.connect.storage.FileOffsetBackingStore.
 */
import { ByteSink, DataError } from '../api/index.ts';

export type ByteEntry = readonly [key: Buffer | null, value: Buffer | null];

const tag = { null: 0x70, reference: 0x71, classDesc: 0x72, object: 0x73, array: 0x75, blockData: 0x77, endBlockData: 0x78 } as const;
const firstHandle = 0x7e0000;
const header = Buffer.from('aced0005', 'hex');
/** The class descriptions, with their serialVersionUIDs, as every JDK writes them. */
const hashMapClass = Buffer.concat([
  Buffer.from([tag.classDesc]),
  utf('java.util.HashMap'),
  Buffer.from('0507dac1c31660d1030002', 'hex'),
  Buffer.from('F'),
  utf('loadFactor'),
  Buffer.from('I'),
  utf('threshold'),
  Buffer.from([tag.endBlockData, tag.null]),
]);
const byteArrayClass = Buffer.concat([
  Buffer.from([tag.classDesc]),
  utf('[B'),
  Buffer.from('acf317f8060854e0020000', 'hex'),
  Buffer.from([tag.endBlockData, tag.null]),
]);
/** Handles count what was written: the map's class, the map, the array class, then each array. */
const byteArrayClassHandle = firstHandle + 2;

export function encodeByteMap(entries: readonly ByteEntry[]): Buffer {
  const out = new ByteSink(1024);
  out.copy(header);
  out.byte(tag.object);
  out.copy(hashMapClass);
  let buckets = 16;
  while (buckets * 0.75 < entries.length) buckets *= 2;
  const fixed = Buffer.alloc(18);
  fixed.writeFloatBE(0.75, 0);
  fixed.writeInt32BE(buckets * 0.75, 4);
  fixed[8] = tag.blockData;
  fixed[9] = 8;
  fixed.writeInt32BE(buckets, 10);
  fixed.writeInt32BE(entries.length, 14);
  out.copy(fixed);
  let described = false;
  for (const bytes of entries.flat()) {
    if (bytes === null) {
      out.byte(tag.null);
      continue;
    }
    out.byte(tag.array);
    if (described) out.copy(Buffer.from([tag.reference, ...int32(byteArrayClassHandle)]));
    else out.copy(byteArrayClass);
    described = true;
    out.copy(int32(bytes.length));
    out.copy(bytes);
  }
  out.byte(tag.endBlockData);
  return Buffer.from(out.written());
}

/** Throws a DataError for any other shape. */
export function decodeByteMap(bytes: Buffer): ByteEntry[] {
  let at = 0;
  const wrong = (what: string): never => {
    throw new DataError(`not a serialised java.util.HashMap of byte arrays: ${what} at byte ${at}`);
  };
  const take = (count: number): Buffer => {
    if (count < 0 || at + count > bytes.length) wrong('it ends');
    at += count;
    return bytes.subarray(at - count, at);
  };
  const expect = (expected: Buffer, what: string): void => {
    if (!take(expected.length).equals(expected)) wrong(`unexpected ${what}`);
  };
  expect(header, 'stream header');
  expect(Buffer.from([tag.object]), 'content');
  expect(hashMapClass, 'class');
  take(8);
  expect(Buffer.from([tag.blockData, 8]), 'map data');
  take(4);
  const size = take(4).readInt32BE();
  const arrays: Buffer[] = [];
  let described = false;

  const element = (): Buffer | null => {
    const kind = take(1)[0];
    if (kind === tag.null) return null;
    if (kind === tag.reference) return arrays[take(4).readInt32BE() - byteArrayClassHandle - 1] ?? wrong('unknown reference');
    if (kind !== tag.array) wrong(`content of kind ${kind}`);
    if (!described) expect(byteArrayClass, 'array class');
    else expect(Buffer.from([tag.reference, ...int32(byteArrayClassHandle)]), 'array class');
    described = true;
    const array = take(take(4).readInt32BE());
    arrays.push(array);
    return array;
  };
  const entries: ByteEntry[] = [];
  for (let i = 0; i < size; i++) entries.push([element(), element()]);
  expect(Buffer.from([tag.endBlockData]), 'end');
  return entries;
}

function utf(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
