import { defineConfig, defineTransform, fieldOf, isStruct } from '../../api/index.ts';
import type { ConnectRecord, Schema, Struct } from '../../api/index.ts';
import { eventOf } from './change-event.ts';
import { javaHash } from './java-hash.ts';
import { murmurHash, murmurHashCode, murmurHashText } from './murmur-hash.ts';

const config = defineConfig({
  'partition.payload.fields': {
    type: 'list',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'Fields of the event to choose the partition by, such as source.table or change.name: `change` is the row after the change, of a delete the one before. What an event does not have is left out.',
  },
  'partition.topic.num': {
    type: 'int',
    rule: { kind: 'range', min: 1 },
    importance: 'high',
    doc: 'How many partitions the topic has; a predicate chooses the topic.',
  },
  'partition.hash.function': {
    type: 'string',
    default: 'java',
    rule: { kind: 'one-of', values: ['java', 'murmur'], ignoreCase: true },
    importance: 'low',
    doc: 'The hash that chooses: java (Object.hashCode) or murmur (MurmurHash3).',
  },
});

/** io.debezium.transforms.partitions.PartitionRouting: the partition of a change, chosen by some of its fields. */
export default defineTransform({
  config,
  create({ 'partition.payload.fields': fields, 'partition.topic.num': partitions, 'partition.hash.function': hashFunction }) {
    const hashOf = hashFunction.toLowerCase() === 'murmur' ? murmurOf : javaHash;
    const paths = fields.map((field) => field.split('.').map((part) => part.trim()));
    return <R extends ConnectRecord>(record: R): R => {
      const event = eventOf(record);
      if (event === undefined) return record;
      const operation = event.get('op');
      if (operation === 't' || operation === 'm') return record;
      let hash = 0;
      let found = 0;
      for (const path of paths) {
        const item = itemAt(event, path, operation === 'd' ? 'before' : 'after');
        if (item === undefined) continue;
        found++;
        hash = (hash + hashOf(item.schema, item.value)) | 0;
      }
      if (found === 0) return record;
      const positive = hash & 0x7fff_ffff;
      return { ...record, partition: (positive === 0x7fff_ffff ? 0 : positive) % partitions };
    };
  },
});

function murmurOf(schema: Schema, value: unknown): number {
  if (typeof value === 'string') return murmurHashText(value);
  // Debezium's bits are a byte array, its other bytes a buffer.
  if (value instanceof Uint8Array && schema.name === 'io.debezium.data.Bits') return murmurHash(value);
  return murmurHashCode(javaHash(schema, value));
}

function itemAt(event: Struct, path: readonly string[], changed: string): { readonly schema: Schema; readonly value: unknown } | undefined {
  let struct: Struct = event;
  for (const [i, part] of path.entries()) {
    const field = fieldOf(struct.schema, part === 'change' && i < path.length - 1 ? changed : part);
    const value = field === undefined ? null : (struct.at(field.index) ?? field.schema.defaultValue ?? null);
    if (field === undefined || value === null) return undefined;
    if (i === path.length - 1) return { schema: field.schema, value };
    if (!isStruct(value)) return undefined;
    struct = value;
  }
  return undefined;
}
