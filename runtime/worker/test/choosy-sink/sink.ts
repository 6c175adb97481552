/** Appends values to a file, a line for each; reports records without a key, and keeps back offsets where it is told to. */
import { appendFile } from 'node:fs/promises';
import { DataError, defineConfig, defineSink } from '@millrace/runtime/api';

const base = { importance: 'low', doc: '' } as const;

const config = defineConfig({
  file: { ...base, type: 'string' },
  /** Offsets beyond it are not released. */
  'release.below': { ...base, type: 'int', default: 1_000_000_000 },
});

export default defineSink({
  version: '1.0.0',
  config,
  async start(values, { log, report, topicId }) {
    const limit = BigInt(values['release.below']);
    return {
      async open(partitions) {
        for (const { topic } of partitions) log.info(`choosy: reads ${topic} ${topicId(topic)}`);
      },
      async put(records) {
        const lines: string[] = [];
        for (const record of records) {
          if (record.key === null) await report(record, new DataError('a record without a key.', { hint: 'Set one.' }));
          else lines.push(`${String(record.value)}\n`);
        }
        await appendFile(values.file, lines.join(''));
      },
      async preCommit(offsets) {
        return offsets.map((each) => (each.offset > limit ? { ...each, offset: limit } : each));
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
