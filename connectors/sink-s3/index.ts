import { ConfigError, defineSink } from '@millrace/runtime/api';
import type { SinkTaskContext } from '@millrace/runtime/api';
import { accessSettings, config, encryptionSettings, formatSettings, isProviderKey, isTimeBased, partitionerName } from './settings.ts';
import type { S3Config } from './settings.ts';
import { openBucket } from './storage/bucket.ts';
import { objectOptions, s3Client } from './storage/client.ts';
import { objectStore } from './storage/object-store.ts';
import type { ObjectStore } from './storage/object-store.ts';
import { describeError, isPassing } from './storage/store-error.ts';
import { s3SinkTask } from './task.ts';
import { problemsOf } from './validate.ts';
import { sharedParts } from './writer-parts.ts';

/** Writes records as files into an S3 bucket, each once (io.confluent.connect.s3.S3SinkConnector). */
export default defineSink({
  version: '0.1.0',
  config,
  alsoKnows: isProviderKey,
  validate: problemsOf,
  // They are the consumer group's alone; names of objects follow from where reading begins.
  alterOffsets: () => true,
  takesSerialized(values) {
    const { values: format } = formatSettings(values);
    return format === 'json' || format === 'bytes' ? format : undefined;
  },
  async start(values, context) {
    const { rawConfig, connector, log } = context;
    const [problem] = problemsOf(values, rawConfig);
    if (problem !== undefined) throw new ConfigError(`connector ${connector}: ${problem.key}: ${problem.message}`);
    warn(values, context);
    const shared = sharedParts(values, rawConfig['format.bytearray.separator']);
    const client = s3Client(accessSettings(values, rawConfig));
    const store = objectStore(client, values['s3.bucket.name'], objectOptions(encryptionSettings(values)));
    try {
      await mustHaveBucket(store, values, context);
    } catch (error) {
      store[Symbol.dispose]();
      throw error;
    }
    return s3SinkTask(values, shared, openBucket(values, { store, connector, log }), context);
  },
});

async function mustHaveBucket(store: ObjectStore, values: S3Config, { connector, log }: SinkTaskContext): Promise<void> {
  const bucket = values['s3.bucket.name'];
  let found: boolean;
  try {
    found = await store.hasBucket();
  } catch (error) {
    if (isPassing(error))
      return log.warn(`bucket ${bucket} cannot be reached now, and is tried again with the first file: ${describeError(error)}`);
    throw new ConfigError(`connector ${connector}: bucket ${bucket} cannot be used: ${describeError(error)}.`, {
      cause: error,
      hint: 'Check store.url, s3.region and the credentials.',
    });
  }
  if (!found)
    throw new ConfigError(`connector ${connector}: bucket ${bucket} does not exist.`, { hint: 'Create it, or correct s3.bucket.name.' });
}

/** What the config asks for that has another meaning than a reader may think. */
function warn(values: S3Config, { log }: SinkTaskContext): void {
  const timeBased = isTimeBased(partitionerName(values));
  if (values['rotate.interval.ms'] > 0 && !timeBased) {
    log.warn('rotate.interval.ms has no effect without a time-based partitioner; rotate.wall.clock.interval.ms closes files by the clock');
  }
  if (timeBased && values['timestamp.extractor'] === 'Wallclock') {
    log.warn(
      'timestamp.extractor=Wallclock: folders follow the clock, so records may be written twice after a crash; Record and RecordField do not',
    );
  }
  for (const key of ['rotate.schedule.interval.ms', 'rotate.wall.clock.interval.ms'] as const) {
    if (values[key] > 0) log.warn(`${key}: files are closed by the clock, so records may be written twice after a crash`);
  }
}
