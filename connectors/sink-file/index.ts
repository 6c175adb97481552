import { accessSync, constants, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, ConnectError, defineSink } from '@millrace/runtime/api';
import type { SinkTask, SinkTaskContext } from '@millrace/runtime/api';
import { alterPositions } from './alter-offsets.ts';
import { config, isShared, validate } from './config.ts';
import type { FileSinkConfig } from './config.ts';
import { openDataFile } from './data-file.ts';
import type { DataFile } from './data-file.ts';
import { partitionFile, positionsFile } from './file-names.ts';
import { sharedTargetTask } from './shared-task.ts';
import { openTarget } from './target.ts';
import { ownFilesTask } from './task.ts';

/** Writes each record's value as a line of a file (org.apache.kafka.connect.file.FileStreamSinkConnector). */
export default defineSink({
  version: '0.1.0',
  config,
  validate,
  alterOffsets: alterPositions,
  takesSerialized: () => 'text',
  async start(values, context) {
    const { connector, rawConfig } = context;
    const file = values.file === '' ? null : values.file;
    if (file === null || isDevice(file)) return sharedTargetTask(await openTarget(file, connector));
    if (isShared(values, rawConfig)) {
      // What it told would no longer hold.
      rmSync(positionsFile(file, connector), { force: true });
      return sharedTargetTask(await openTarget(file, connector));
    }
    return startAlone(file, values, context);
  },
});

async function startAlone(file: string, values: FileSinkConfig, context: SinkTaskContext): Promise<SinkTask> {
  const { connector, log } = context;
  const gzip = values['file.compression'] === 'gzip';
  const more = { gzip, rotateBytes: values['file.rotate.bytes'], rotateMs: values['file.rotate.ms'] };
  const open = (path: string): DataFile => {
    try {
      return openDataFile({ path, connector, log, ...more });
    } catch (error) {
      throw explained(path, connector, error as NodeJS.ErrnoException);
    }
  };
  if (values['file.per.partition'])
    return ownFilesTask({ context, gather: gzip, files: (partition) => open(partitionFile(file, partition)) });
  const isPlain = !gzip && more.rotateBytes === 0 && more.rotateMs === 0;
  if (isPlain && !mayKeepPositions(file)) {
    const target = await openTarget(file, connector);
    log.warn(
      `connector ${connector}: this user may not write to the folder of file '${file}', so positions cannot be kept beside it: lines may be doubled after a crash`,
    );
    return sharedTargetTask(target);
  }
  return ownFilesTask({ context, gather: gzip, files: open(file) });
}

/** What is no file, such as a pipe: nothing can be cut off it, and nothing read again. */
function isDevice(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** False only where the file itself may be written, and its folder not. */
function mayKeepPositions(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
  } catch {
    return true;
  }
  try {
    accessSync(dirname(file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function explained(path: string, connector: string, cause: NodeJS.ErrnoException): ConnectError {
  const message = `connector ${connector}: cannot open or create file '${path}' for writing: ${cause.message}`;
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    return new ConnectError(message, { cause, hint: 'The disk is full: make room, and restart the task.' });
  return new ConfigError(message, { cause, hint: 'Set file to a path whose folder exists and that this user may write.' });
}
