import type { SinkTask } from '@millrace/runtime/api';
import { lineOf } from './lines.ts';
import type { Target } from './target.ts';

/** Characters that are gathered before they are written. */
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
      let text = '';
      for (const record of records) {
        text += lineOf(record);
        if (text.length >= writeAt) {
          await target.write(text);
          text = '';
        }
      }
      if (text !== '') await target.write(text);
    },
    async flush() {
      if (!unsynced) return;
      await target.sync();
      unsynced = false;
    },
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}
