const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** Kafka's 32-bit murmur2 (org.apache.kafka.common.utils.Utils.murmur2), signed. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const words = length - (length % 4);
  let hash = seed ^ length;
  for (let at = 0; at < words; at += 4) {
    let word =
      (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    word = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  if (words < length) {
    if (length - words === 3) hash ^= (bytes[words + 2] as number) << 16;
    if (length - words >= 2) hash ^= (bytes[words + 1] as number) << 8;
    hash = Math.imul(hash ^ (bytes[words] as number), multiplier);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition, of `count`, that the JVM producer gives a record with this key (BuiltInPartitioner.partitionForKey). */
export function partitionForKey(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}
