/** Records without a value, by `behavior.on.null.values`. Source: S3SinkTask.maybeSkipOnNullValue. */
import { ConnectError, DataError } from '@millrace/runtime/api';
import type { SinkRecord, SinkTaskContext } from '@millrace/runtime/api';
import { placeText } from './origin.ts';
import type { S3Config } from './settings.ts';

/** Whether the record is not to be written. Throws a ConnectError where it must not come. */
export type SkipsNull = (record: SinkRecord) => boolean | Promise<boolean>;

export function skipsNull(values: S3Config, context: SinkTaskContext): SkipsNull {
  const behavior = values['behavior.on.null.values'].toLowerCase();
  // Where errors are not tolerated there is nowhere to report to, and skipping was asked for.
  const reports = values['report.null.values.to.dlq'] && context.rawConfig['errors.tolerance']?.trim().toLowerCase() === 'all';
  return (record) => {
    if (record.value !== null || behavior === 'write') return false;
    if (behavior === 'ignore') return reports ? reported(record) : true;
    throw new ConnectError(`connector ${context.connector}: record ${placeText(record)} has no value, and behavior.on.null.values=fail.`, {
      hint: 'Set it to ignore, which skips such records, or to write, which stores their keys (with store.kafka.keys=true).',
    });
  };

  async function reported(record: SinkRecord): Promise<boolean> {
    await context.report(record, new DataError('the record has no value, and behavior.on.null.values=ignore skips it'));
    return true;
  }
}
