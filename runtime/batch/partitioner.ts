/** The JVM producer's partitioner for records with a key. Source: org.apache.kafka.common.utils.Utils.murmur2. */
const seed = 0x9747b28c | 0;
const multiplier = 0x5bd1e995;

/** Austin Appleby's MurmurHash2, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = seed ^ length;
  for (let i = 0; i < whole; i += 4) {
    let word = at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    word = Math.imul(word, multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const rest = length - whole;
  if (rest > 2) hash ^= at(bytes, whole + 2) << 16;
  if (rest > 1) hash ^= at(bytes, whole + 1) << 8;
  if (rest > 0) hash = Math.imul(hash ^ at(bytes, whole), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition that the JVM's producer chooses for this key. */
export function partitionForKey(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
