/** All source offsets in memory, found by what a partition says and not by how its key was spelt. */
import type { OffsetMap } from '../api/index.ts';
import type { StoredOffset } from '../ports/stores.ts';
import { canonicalPartition, encodeOffsetKey, encodeOffsetValue, parseOffsetKey, parseOffsetValue } from './offset-codec.ts';

/** One key as it was written. The same partition may stand under several, where maps came in another order. */
interface Spelling extends StoredOffset {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly writtenMs: number;
}

export interface RawOffset {
  readonly key: Buffer;
  /** Null forgets. */
  readonly value: Buffer | null;
}

export interface OffsetTable {
  apply(key: Buffer, value: Buffer | null, writtenMs: number): void;
  get(connector: string, partition: OffsetMap): OffsetMap | undefined;
  all(connector: string): StoredOffset[];
  /** The key that the partition stands under; of several, the one that was written last. */
  keyOf(connector: string, partition: OffsetMap): Buffer | undefined;
  /**
   * What to write: under the bytes of the key that is there already, since Connect looks up by bytes; under those of
   * `keyOfNew` where there is none.
   */
  encode(
    connector: string,
    offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[],
    keyOfNew?: (partition: OffsetMap) => Buffer | undefined,
  ): RawOffset[];
  raw(): Iterable<RawOffset>;
}

export function createOffsetTable(): OffsetTable {
  /** By connector, canonical partition, and spelling. */
  const connectors = new Map<string, Map<string, Map<string, Spelling>>>();
  /** Keys that are none of ours, kept for whoever wrote them. */
  const foreign = new Map<string, RawOffset>();

  const spellings = (connector: string, partition: OffsetMap): Map<string, Spelling> | undefined =>
    connectors.get(connector)?.get(canonicalPartition(partition));

  return {
    apply(key, value, writtenMs) {
      const parsed = parseOffsetKey(key);
      const offset = value === null ? undefined : parseOffsetValue(value);
      const spelling = key.toString('latin1');
      if (parsed === undefined || (value !== null && offset === undefined)) {
        if (value === null) foreign.delete(spelling);
        else foreign.set(spelling, { key: Buffer.from(key), value: Buffer.from(value) });
        return;
      }
      foreign.delete(spelling);
      const { connector, partition } = parsed;
      const partitions = connectors.get(connector) ?? new Map<string, Map<string, Spelling>>();
      const canonical = canonicalPartition(partition);
      const known = partitions.get(canonical) ?? new Map<string, Spelling>();
      if (value === null || offset === undefined) {
        known.delete(spelling);
        if (known.size === 0) partitions.delete(canonical);
        if (partitions.size === 0) connectors.delete(connector);
        return;
      }
      connectors.set(connector, partitions);
      partitions.set(canonical, known);
      known.delete(spelling);
      known.set(spelling, { key: Buffer.from(key), value: Buffer.from(value), partition, offset, writtenMs });
    },
    get: (connector, partition) => newest(spellings(connector, partition))?.offset,
    all(connector) {
      const found: StoredOffset[] = [];
      for (const known of connectors.get(connector)?.values() ?? []) {
        const spelling = newest(known);
        if (spelling !== undefined) found.push({ partition: spelling.partition, offset: spelling.offset });
      }
      return found;
    },
    keyOf: (connector, partition) => newest(spellings(connector, partition))?.key,
    encode(connector, offsets, keyOfNew) {
      return offsets.flatMap(({ partition, offset }): RawOffset[] => {
        const known = spellings(connector, partition);
        const newKey = (): Buffer => keyOfNew?.(partition) ?? encodeOffsetKey(connector, partition);
        if (offset === null) {
          const keys = [...(known?.values() ?? [])].map(({ key }) => key);
          return (keys.length === 0 ? [newKey()] : keys).map((key) => ({ key, value: null }));
        }
        return [{ key: newest(known)?.key ?? newKey(), value: encodeOffsetValue(offset) }];
      });
    },
    *raw() {
      yield* foreign.values();
      for (const partitions of connectors.values()) for (const known of partitions.values()) yield* known.values();
    },
  };
}

/** Later in the map wins a tie. */
function newest(known: Map<string, Spelling> | undefined): Spelling | undefined {
  let found: Spelling | undefined;
  for (const spelling of known?.values() ?? []) if (found === undefined || spelling.writtenMs >= found.writtenMs) found = spelling;
  return found;
}
