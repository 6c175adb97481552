/** What Debezium's transforms know of a change event. Source: io.debezium.transforms.SmtManager. */
import { isStruct } from '../../api/index.ts';
import type { ConnectRecord, Struct } from '../../api/index.ts';

/** The envelope that a record holds, or undefined: of a tombstone, a heartbeat, a transaction's mark. */
export function eventOf({ value, valueSchema }: ConnectRecord): Struct | undefined {
  return valueSchema?.name?.endsWith('.Envelope') === true && isStruct(value) ? value : undefined;
}
