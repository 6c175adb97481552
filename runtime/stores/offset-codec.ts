/**
 * Keys and values of Connect's offset topic and offset file:
 *
 *     ["shop-source",{"server":"shop"}]        {"lsn":271387784,"txId":997}
 *
 * Source: org.apache.kafka.connect.storage.OffsetStorageWriter, ConnectorOffsetBackingStore.
 */
import type { OffsetMap, OffsetValue } from '../api/index.ts';
import { parseExact, stringifyExact } from './exact-json.ts';

export interface OffsetKey {
  readonly connector: string;
  readonly partition: OffsetMap;
}

/** The map's own order is kept: Connect looks keys up by their bytes. */
export function encodeOffsetKey(connector: string, partition: OffsetMap): Buffer {
  return Buffer.from(stringifyExact([connector, partition]));
}

export function encodeOffsetValue(offset: OffsetMap): Buffer {
  return Buffer.from(stringifyExact(offset));
}

/** Undefined for what is no offset key (a key that another tool wrote). */
export function parseOffsetKey(bytes: Uint8Array): OffsetKey | undefined {
  const parsed = parsedJson(bytes);
  if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
  const [connector, partition] = parsed as [unknown, unknown];
  return typeof connector === 'string' && isOffsetMap(partition) ? { connector, partition } : undefined;
}

/** Undefined for what is no offset. Whole numbers come as bigint. */
export function parseOffsetValue(bytes: Uint8Array): OffsetMap | undefined {
  const parsed = parsedJson(bytes);
  return isOffsetMap(parsed) ? parsed : undefined;
}

/** Equal for maps with equal entries, whatever their order, and whether a whole number is a bigint or not. */
export function canonicalPartition(partition: OffsetMap): string {
  const keys = Object.keys(partition).sort();
  return stringifyExact(keys.map((key) => [key, partition[key]]));
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return parseExact(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch {
    return undefined;
  }
}

/** Connect allows primitive values only (OffsetUtils.validateFormat). */
function isOffsetMap(value: unknown): value is OffsetMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item): item is OffsetValue => item === null || typeof item !== 'object');
}
