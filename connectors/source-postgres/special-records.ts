/** Records that are no rows: heartbeats, and what pg_logical_emit_message wrote. */
import { schemaOf, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { OffsetMap, SourceRecord, ValueStruct } from '@millrace/runtime/api';

import { transactionBlock } from './envelope.ts';
import type { LogicalMessage } from './pgoutput/messages.ts';
import { plainRecord } from './records.ts';
import type { RecordContext } from './records.ts';
import { connectorName, sourceSchema, transactionScope } from './source-block.ts';
import type { SourceNames } from './source-block.ts';

const heartbeatKey = structSchema([['serverName', schemas.string]], { name: 'io.debezium.connector.common.ServerNameKey', version: 1 });
const heartbeatValue = structSchema([['ts_ms', schemas.int64]], { name: 'io.debezium.connector.common.Heartbeat', version: 1 });

export function heartbeatRecord(context: RecordContext, topic: string, server: string, offset: OffsetMap): SourceRecord {
  const key = structOf(heartbeatKey, { serverName: server });
  return plainRecord(context, topic, key, structOf(heartbeatValue, { ts_ms: Date.now() }), offset);
}

const messageKey = structSchema([['prefix', schemas.optionalString]], { name: 'io.debezium.connector.postgresql.MessageKey', version: 1 });
const messageBlock = structSchema(
  [
    ['prefix', schemas.optionalString],
    ['content', schemas.optionalBytes],
  ],
  { name: 'io.debezium.connector.postgresql.Message', version: 1 },
);
const messageValue = structSchema(
  [
    ['op', schemas.string],
    ['ts_ms', schemaOf('int64', { optional: true })],
    ['source', sourceSchema],
    ['transaction', transactionBlock],
    ['message', messageBlock],
  ],
  { name: 'io.debezium.connector.postgresql.MessageValue', version: 1 },
);

/** `scope` is the transaction's, with a null txId when the message belongs to none. */
export function messageRecord(
  context: RecordContext,
  topic: string,
  names: SourceNames,
  message: LogicalMessage,
  scope: readonly unknown[],
  lsn: number | bigint,
  offset: OffsetMap,
): SourceRecord {
  const source: ValueStruct = structOf(sourceSchema, {
    version: names.version,
    connector: connectorName,
    name: names.server,
    ts_ms: scope[transactionScope.ms],
    db: names.database,
    sequence: `${String(scope[transactionScope.sequence])}${lsn}"]`,
    ts_us: scope[transactionScope.us],
    ts_ns: scope[transactionScope.ns],
    schema: '',
    table: '',
    txId: scope[transactionScope.txId],
    lsn,
  });
  const block = structOf(messageBlock, { prefix: message.prefix, content: message.content });
  const value = structOf(messageValue, { op: 'm', ts_ms: Date.now(), source, message: block });
  return plainRecord(context, topic, structOf(messageKey, { prefix: message.prefix }), value, offset);
}
