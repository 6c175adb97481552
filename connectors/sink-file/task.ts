import { javaText } from '@millrace/runtime/api';
import type { SinkRecord, SinkTask } from '@millrace/runtime/api';
import type { Target } from './target.ts';

/** Characters that are gathered before they are written. */
const writeAt = 1 << 20;

/**
 * Each value as the JVM's String.valueOf prints it, and a newline. Lines are visible in the file when `put`
 * resolves, and durable after `flush`, which comes before offsets are committed.
 */
export function fileSinkTask(target: Target): SinkTask {
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

function lineOf({ value, valueSchema }: SinkRecord): string {
  return typeof value === 'string' ? `${value}\n` : `${javaText(valueSchema, value)}\n`;
}
