import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defineConfig, defineSink } from '@millrace/runtime/api';
import { openTarget } from './target.ts';
import { fileSinkTask } from './task.ts';

const config = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Destination filename. If not specified, the standard output will be used',
  },
});

/** Writes each record's value as a line of a file (org.apache.kafka.connect.file.FileStreamSinkConnector). */
export default defineSink({
  version: '0.1.0',
  config,
  async validate({ file }) {
    const problem = file === null ? undefined : await whyNotWritable(file);
    return problem === undefined ? [] : [{ key: 'file', message: `Invalid value ${file} for configuration file: ${problem}` }];
  },
  // They are the consumer group's alone; without this Connect's answer would send people looking for others.
  alterOffsets: () => true,
  // All tasks append to the one file, whole lines at a time.
  start: async ({ file }, context) => fileSinkTask(await openTarget(file, context.connector)),
});

async function whyNotWritable(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) return 'it is a folder; name a file in it';
  const checked = found === undefined ? dirname(file) : file;
  try {
    await access(checked, constants.W_OK);
    return undefined;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist; create it first' : 'is not writable for this user';
    return `${checked === file ? 'the file' : `its folder ${checked}`} ${reason}`;
  }
}
