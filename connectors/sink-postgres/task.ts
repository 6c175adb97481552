/** The sink task: takes records as long as there is room, and says how far they are safe. */
import { RetriableError } from '@millrace/runtime/api';
import type { SinkTask, SinkTaskContext } from '@millrace/runtime/api';

import { Places } from './places.ts';
import type { Settings } from './settings.ts';
import type { Entry } from './transaction.ts';
import { Writer, safeOffset } from './writer.ts';

/**
 * Records are written as soon as the transaction before is through; offsets are committed up to what the target holds, so
 * nothing is lost. Each transaction holds the positions too, so nothing is doubled.
 */
export function sinkTask(settings: Settings, context: SinkTaskContext): SinkTask {
  const places = new Places(context);
  const writer = new Writer(settings, context);

  /** Until all is written, or it is clear that this will take its time. */
  async function settled(): Promise<void> {
    while (!writer.isIdle && writer.retrying === undefined) {
      writer.throwIfFailed();
      await writer.changed();
    }
    writer.throwIfFailed();
  }

  return {
    async open(partitions) {
      for (const partition of partitions) places.open(partition);
    },
    async put(records) {
      writer.throwIfFailed();
      const entries = records.map((record): Entry => {
        const place = places.of(record);
        return { record, place, generation: place.generation, operation: undefined, reported: undefined };
      });
      while (writer.isFull) {
        // The runtime keeps these, and the group knows that the task lives.
        if (writer.retrying !== undefined)
          throw new RetriableError(`records wait for the target: ${writer.retrying.message}`, { cause: writer.retrying });
        await writer.changed();
        writer.throwIfFailed();
      }
      // While they waited for room, reading may have been sent back to before them.
      writer.accept(entries.filter(({ place, generation }) => place.generation === generation));
    },
    async preCommit(offsets) {
      await settled();
      return offsets.map((given) => safeOffset(places.get(given.topic, given.partition), given));
    },
    async close(partitions) {
      await settled();
      for (const partition of partitions) places.close(partition);
      writer.dropVoid();
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
