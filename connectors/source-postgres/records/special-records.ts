/** Records that are no rows: heartbeats, and what pg_logical_emit_message wrote. */
import { schemaOf, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { OffsetMap, Schema, SourceRecord, StructSchema, ValueStruct } from '@millrace/runtime/api';

import { transactionBlock } from './envelope.ts';
import type { LogicalMessage } from '../pgoutput/messages.ts';
import { plainRecord } from './records.ts';
import type { RecordContext } from './records.ts';
import { connectorName, sourceSchema, transactionScope } from './source-block.ts';
import type { SourceNames } from './source-block.ts';
import type { ValueSettings } from '../values/value-type.ts';

const heartbeatKey = structSchema([['serverName', schemas.string]], { name: 'io.debezium.connector.common.ServerNameKey', version: 1 });
const heartbeatValue = structSchema([['ts_ms', schemas.int64]], { name: 'io.debezium.connector.common.Heartbeat', version: 1 });

export function heartbeatRecord(context: RecordContext, topic: string, server: string, offset: OffsetMap): SourceRecord {
  const key = structOf(heartbeatKey, { serverName: server });
  return plainRecord(context, topic, key, structOf(heartbeatValue, { ts_ms: Date.now() }), offset);
}

const messageKey = structSchema([['prefix', schemas.optionalString]], { name: 'io.debezium.connector.postgresql.MessageKey', version: 1 });

function messageSchemas(content: Schema): { readonly block: StructSchema; readonly value: StructSchema } {
  const block = structSchema(
    [
      ['prefix', schemas.optionalString],
      ['content', content],
    ],
    { name: 'io.debezium.connector.postgresql.Message', version: 1 },
  );
  const value = structSchema(
    [
      ['op', schemas.string],
      ['ts_ms', schemaOf('int64', { optional: true })],
      ['source', sourceSchema],
      ['transaction', transactionBlock],
      ['message', block],
    ],
    { name: 'io.debezium.connector.postgresql.MessageValue', version: 1 },
  );
  return { block, value };
}
const asBytes = messageSchemas(schemas.optionalBytes);
const asText = messageSchemas(schemas.optionalString);

/** Where a message stands. */
export interface MessagePlace {
  /** The transaction's, with a null txId when the message belongs to none. */
  readonly scope: readonly unknown[];
  readonly lsn: number | bigint;
  /** With transaction metadata, its block; null outside of transactions. */
  readonly transaction: ValueStruct | null;
  /** binary.handling.mode */
  readonly binary: ValueSettings['binary'];
}

export function messageRecord(
  context: RecordContext,
  topic: string,
  names: SourceNames,
  message: LogicalMessage,
  { scope, lsn, transaction, binary }: MessagePlace,
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
    xmin: scope[transactionScope.xmin] ?? null,
  });
  const of = binary === 'bytes' ? asBytes : asText;
  const block = structOf(of.block, { prefix: message.prefix, content: contentIn(message.content, binary) });
  const value = structOf(of.value, { op: 'm', ts_ms: Date.now(), source, transaction, message: block });
  return plainRecord(context, topic, structOf(messageKey, { prefix: message.prefix }), value, offset);
}

/** Debezium keeps the padding of url-safe Base64 here, too. */
function contentIn(content: Uint8Array, binary: ValueSettings['binary']): Uint8Array | string {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  switch (binary) {
    case 'bytes':
      return content;
    case 'hex':
      return bytes.toString('hex');
    case 'base64':
      return bytes.toString('base64');
    case 'base64-url-safe':
      return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  }
}
