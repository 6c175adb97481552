/** From the logical messages of a replication stream (pg_logical_emit_message) to records. */
import type { Lsn } from '../position/lsn.ts';
import type { LogicalMessage } from '../pgoutput/messages.ts';
import { rowOffset } from '../records/row-records.ts';
import { messageRecord } from '../records/special-records.ts';
import type { StreamParts } from './stream-parts.ts';
import { messageTopic } from '../records/topics.ts';
import type { OpenTransaction } from './transaction-marks.ts';
import { messageCollection } from '../records/transaction-metadata.ts';

type MessageParts = Pick<StreamParts, 'settings' | 'context' | 'names' | 'queue'>;

export class MessageRecords {
  readonly #parts: MessageParts;
  readonly #topic: string;

  constructor(parts: MessageParts) {
    this.#parts = parts;
    this.#topic = messageTopic(parts.settings);
  }

  /** `row` is its place in the transaction, if it is in one. */
  push(message: LogicalMessage, lsn: Lsn, { offset, scope }: Pick<OpenTransaction, 'offset' | 'scope'>, row: number): void {
    const { settings, context, names, queue } = this.#parts;
    const transaction = offset.tally?.block(offset.tally.next(lsn, messageCollection)) ?? null;
    const at = rowOffset(offset, 'MESSAGE', lsn, row, 0);
    const where = { scope, lsn, transaction, binary: settings.values.binary };
    queue.push(messageRecord(context, this.#topic, names, message, where, at), message.content.length + 64);
  }
}
