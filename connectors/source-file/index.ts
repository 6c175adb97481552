import { access, constants, stat } from 'node:fs/promises';
import { ConfigError, defineConfig, defineSource } from '@millrace/runtime/api';
import type { OffsetMap } from '@millrace/runtime/api';
import { previewLines } from './preview.ts';
import { fileSourceTask } from './task.ts';

const config = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Source filename. If not specified, the standard input will be used',
  },
  topic: {
    type: 'string',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'The topic to publish data to',
  },
  'batch.size': {
    type: 'int',
    default: 2000,
    rule: { kind: 'range', min: 1 },
    importance: 'low',
    doc: 'The maximum number of records the source task can read from the file each time it is polled',
  },
});

/** Reads a file's lines, and those added later (org.apache.kafka.connect.file.FileStreamSourceConnector). */
export default defineSource({
  version: '0.1.0',
  config,
  exactlyOnceSupport: 'supported',
  async validate({ file }) {
    const problem = file === null || file === '' ? undefined : await whyNotReadable(file);
    return problem === undefined ? [] : [{ key: 'file', message: `Invalid value ${file} for configuration file: ${problem}` }];
  },
  taskConfigs: (_values, raw) => [raw],
  start: async (values, context) => {
    const file = values.file === '' ? null : values.file;
    const [stored] = file === null ? [] : await context.offsets([{ filename: file }]);
    return fileSourceTask({
      file,
      topic: values.topic,
      batchSize: values['batch.size'],
      context,
      position: positionIn(stored),
    });
  },
  preview: ({ file, topic }, context) => previewLines(file === '' ? null : file, topic, context),
  alterOffsets(raw, offsets) {
    if ((raw['file'] ?? '').trim() === '') {
      throw new ConfigError(
        "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.",
      );
    }
    for (const { partition, offset } of offsets) {
      // Anything may be forgotten, so that rubbish can be cleared away.
      if (offset === null) continue;
      checkPosition(offset);
      if (!('filename' in partition)) throw new ConfigError("Partition objects should contain the key 'filename'");
    }
    return true;
  },
});

/** A file that is not there yet is fine: the task waits for it. */
async function whyNotReadable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK);
    return (await stat(file)).isDirectory() ? 'it is a folder; name a file in it' : undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return `it cannot be read (${code === 'EACCES' ? 'this user has no right to' : message}); let the user that runs the worker read it`;
  }
}

function checkPosition(offset: OffsetMap): void {
  if (!('position' in offset)) throw new ConfigError("Offset objects should either be null or contain the key 'position'");
  const { position } = offset;
  const isLong = typeof position === 'bigint' ? BigInt.asIntN(64, position) === position : Number.isSafeInteger(position);
  if (!isLong) {
    throw new ConfigError("The value for the 'position' key in the offset is expected to be a Long value");
  }
  if (Number(position) < 0) throw new ConfigError("The value for the 'position' key in the offset should be a non-negative value");
}

function positionIn(stored: OffsetMap | undefined): number {
  if (stored === undefined || stored['position'] === undefined || stored['position'] === null) return 0;
  checkPosition(stored);
  return Number(stored['position']);
}
