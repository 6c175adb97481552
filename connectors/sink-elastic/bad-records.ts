/** What becomes of records of which no document can be made, or that Elasticsearch takes no document of. */
import { ConnectError } from '@millrace/runtime/api';
import type { DataError, SinkRecord, SinkTaskContext } from '@millrace/runtime/api';

import { nameOf } from './read-topic.ts';
import type { Settings, Verdict } from './settings.ts';

export interface BadRecords {
  /** Resolves once the record is taken care of; rejects where it fails the task. */
  invalid(record: SinkRecord, error: DataError): Promise<void>;
  malformed(record: SinkRecord, error: DataError): Promise<void>;
}

export function badRecords(settings: Settings, context: Pick<SinkTaskContext, 'log' | 'report'>): BadRecords {
  async function judge(verdict: Verdict, record: SinkRecord, error: DataError, hint: string): Promise<void> {
    // The record stays in its topic and comes again: a dead letter of it as well would be one for each restart.
    if (verdict === 'fail') throw new ConnectError(`record ${nameOf(record)}: ${error.message}.`, { cause: error, hint });
    if (verdict === 'tolerance') return context.report(record, error);
    context.log[verdict === 'warn' ? 'warn' : 'debug'](`record ${nameOf(record)} is left out: ${error.message}`);
    if (settings.reportsDropped) await context.report(record, error);
  }
  return {
    invalid: (record, error) => judge(settings.invalid, record, error, 'To drop such records, set drop.invalid.message=true.'),
    malformed: (record, error) =>
      judge(settings.malformed, record, error, 'To leave out such records, set behavior.on.malformed.documents=IGNORE or WARN.'),
  };
}
