/** Counts: its records are 1, 2, 3, …; it goes on after the number that its offset holds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineConfig, defineSource, noHeaders, schemas } from '@millrace/runtime/api';
import type { SourceRecord, TaskContext } from '@millrace/runtime/api';

const base = { importance: 'low', doc: '' } as const;

const config = defineConfig({
  topic: { ...base, type: 'string' },
  until: { ...base, type: 'int', default: 1_000_000_000 },
  'poll.records': { ...base, type: 'int', default: 3 },
  'poll.wait.ms': { ...base, type: 'int', default: 0 },
  'pad.bytes': { ...base, type: 'int', default: 0 },
  /** Such as `commit@5,abort@9`. */
  boundaries: { ...base, type: 'list', default: [] },
});

export default defineSource({
  version: '1.0.0',
  config,
  exactlyOnceSupport: 'supported',
  canDefineTransactionBoundaries: true,
  async start(values, { log, offsets, transactionContext }) {
    const sourcePartition = { stream: 'only', of: 'numbers' };
    const [stored] = await offsets([sourcePartition]);
    let count = Number(stored?.['count'] ?? 0);
    tell(log, `starts after ${count}`);
    const recordOf = (n: number): SourceRecord => ({
      topic: values.topic,
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: schemas.string,
      value: `${n}`.padEnd(values['pad.bytes']),
      timestamp: null,
      headers: noHeaders,
      sourcePartition,
      sourceOffset: { count: n },
    });
    return {
      async poll(signal) {
        tell(log, 'polls');
        if (values['poll.wait.ms'] > 0 || count >= values.until) {
          await sleep(Math.max(20, values['poll.wait.ms']), undefined, { signal }).catch(() => {});
        }
        const size = Math.max(0, Math.min(values['poll.records'], values.until - count));
        const records = Array.from({ length: size }, () => recordOf(++count));
        for (const boundary of values.boundaries) {
          const [what, n] = boundary.split('@');
          const record = records.find(({ sourceOffset }) => sourceOffset['count'] === Number(n));
          if (record === undefined) continue;
          if (what === 'abort') transactionContext?.abortTransaction(record);
          else transactionContext?.commitTransaction(record);
        }
        return records;
      },
      committed: ([position]) => tell(log, `committed ${position?.offset['count']}`),
      async [Symbol.asyncDispose]() {},
    };
  },
});

function tell(log: TaskContext['log'], message: string): void {
  log.info(`counting: ${message}`);
}
