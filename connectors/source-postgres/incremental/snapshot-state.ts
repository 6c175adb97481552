/**
 * What an incremental snapshot has still to do, and how that stands in the offset of every record meanwhile:
 *
 * | field | meaning |
 * | --- | --- |
 * | incremental_snapshot_collections | JSON: the tables left, the current one first, each with its condition and surrogate key |
 * | incremental_snapshot_primary_key | the key of the last row that was emitted, as hex of a Java-serialised Object[] |
 * | incremental_snapshot_maximum_key | the largest key when the table was begun, likewise |
 * | incremental_snapshot_correlation_id | the id of the signal that asked for it |
 * | millrace_snapshot_paused | true while it is paused; ours, since Debezium goes on after a restart |
 *
 * Source: io.debezium.pipeline.source.snapshot.incremental.AbstractIncrementalSnapshotContext.
 */
import { ConfigError } from '@millrace/runtime/api';
import type { OffsetMap } from '@millrace/runtime/api';

import { readKey } from './java-key.ts';
import type { Key } from './java-values.ts';
import { writeKey } from './java-writer.ts';

export interface CollectionEntry {
  /** schema.table */
  readonly id: string;
  /** In brackets. */
  readonly condition: string | null;
  readonly surrogateKey: string | null;
}

const prefix = 'incremental_snapshot';
const collectionsField = `${prefix}_collections`;
const entryFields = {
  id: `${collectionsField}_id`,
  condition: `${collectionsField}_additional_condition`,
  surrogateKey: `${collectionsField}_surrogate_key`,
};

export class SnapshotState {
  /** The current one first. */
  collections: CollectionEntry[] = [];
  lastKey: Key | null = null;
  maximumKey: Key | null = null;
  correlationId: string | null = null;
  paused = false;

  get current(): CollectionEntry | undefined {
    return this.collections[0];
  }

  get running(): boolean {
    return this.collections.length > 0;
  }

  /** Done with the current one. */
  next(): void {
    this.collections.shift();
    this.beginTable();
  }

  beginTable(): void {
    this.lastKey = null;
    this.maximumKey = null;
  }

  /** No table is left. */
  end(): void {
    this.correlationId = null;
    this.paused = false;
  }

  fields(): OffsetMap | undefined {
    if (!this.running) return undefined;
    return {
      [`${prefix}_primary_key`]: writeKey(this.lastKey),
      [`${prefix}_maximum_key`]: writeKey(this.maximumKey),
      [collectionsField]: JSON.stringify(
        this.collections.map(({ id, condition, surrogateKey }) => ({
          [entryFields.id]: id,
          [entryFields.condition]: condition,
          [entryFields.surrogateKey]: surrogateKey,
        })),
      ),
      [`${prefix}_correlation_id`]: this.correlationId,
      ...(this.paused ? { millrace_snapshot_paused: true } : {}),
    };
  }
}

/** Ours or Debezium's. Throws a ConfigError for what cannot be read. */
export function readState(offset: OffsetMap | undefined): SnapshotState {
  const state = new SnapshotState();
  const text = offset?.[collectionsField];
  if (offset === undefined || typeof text !== 'string') return state;
  state.collections = readCollections(text);
  state.lastKey = storedKey(offset, `${prefix}_primary_key`);
  state.maximumKey = storedKey(offset, `${prefix}_maximum_key`);
  const id = offset[`${prefix}_correlation_id`];
  state.correlationId = typeof id === 'string' ? id : null;
  state.paused = offset['millrace_snapshot_paused'] === true;
  return state;
}

function storedKey(offset: OffsetMap, field: string): Key | null {
  const hex = offset[field];
  return typeof hex === 'string' ? readKey(field, hex) : null;
}

function readCollections(text: string): CollectionEntry[] {
  try {
    return (JSON.parse(text) as Record<string, string | null>[]).map((entry) => {
      const id = entry[entryFields.id];
      if (typeof id !== 'string') throw new TypeError('a table without a name');
      return { id, condition: entry[entryFields.condition] || null, surrogateKey: entry[entryFields.surrogateKey] || null };
    });
  } catch (cause) {
    throw new ConfigError(`the stored offset's ${collectionsField} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}
