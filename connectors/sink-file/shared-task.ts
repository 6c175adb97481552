import type { SinkTask } from '@millrace/runtime/api';
import { giveRoom, takeRoom, writeLine } from './lines.ts';
import type { Target } from './target.ts';

/** Bytes that are gathered before they are written. */
const writeAt = 1 << 20;

/**
 * For a target that others write to as well: lines are visible when `put` resolves, and durable after `flush`, which
 * comes before offsets are committed. After a crash, those since the last commit come again.
 */
export function sharedTargetTask(target: Target): SinkTask {
  let unsynced = false;
  return {
    async put(records) {
      unsynced = true;
      const lines = takeRoom();
      for (const record of records) {
        writeLine(record, lines);
        if (lines.position < writeAt) continue;
        await target.write(lines.written());
        lines.clear();
      }
      if (lines.position > 0) await target.write(lines.written());
      giveRoom(lines);
    },
    async flush() {
      if (!unsynced) return;
      await target.sync();
      unsynced = false;
    },
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}
