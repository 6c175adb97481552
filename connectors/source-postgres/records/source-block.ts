/** Debezium's `source` block: its schema, and where each of its fields comes from. */
import { schemaOf, schemas, structSchema } from '@millrace/runtime/api';
import type { ConstantNode, Schema, StructNode, WireNode } from '@millrace/runtime/api';

export type SnapshotMarker = 'first' | 'first_in_data_collection' | 'true' | 'last_in_data_collection' | 'last' | 'incremental';

export const connectorName = 'postgresql';

const snapshotField = schemaOf('string', {
  optional: true,
  name: 'io.debezium.data.Enum',
  version: 1,
  parameters: { allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental' },
  defaultValue: 'false',
});

const fields: readonly (readonly [string, Schema])[] = [
  ['version', schemas.string],
  ['connector', schemas.string],
  ['name', schemas.string],
  ['ts_ms', schemas.int64],
  ['snapshot', snapshotField],
  ['db', schemas.string],
  ['sequence', schemas.optionalString],
  ['ts_us', schemas.optionalInt64],
  ['ts_ns', schemas.optionalInt64],
  ['schema', schemas.string],
  ['table', schemas.string],
  ['txId', schemas.optionalInt64],
  ['lsn', schemas.optionalInt64],
  ['xmin', schemas.optionalInt64],
];

export const sourceSchema = structSchema(fields, { name: 'io.debezium.connector.postgresql.Source', version: 1 });

/**
 * Row scopes. 0 is the transaction (or the snapshot): commit time in ms, µs and ns, transaction id, and the start
 * of `sequence`; of a snapshot the LSN too; the slot's xmin where it is wanted. 1 is the time of processing in ms, µs and ns.
 */
export const scopes = { transaction: 0, processing: 1 } as const;
export const transactionScope = { ms: 0, us: 1, ns: 2, txId: 3, sequence: 4, lsn: 5, xmin: 6 } as const;
/** What a streamed row has of its own: its LSN; with transaction metadata its place among all events, and its table's. */
export const ownParts = { lsn: 0, totalOrder: 1, collectionOrder: 2 } as const;

export interface SourceNames {
  readonly version: string;
  /** topic.prefix */
  readonly server: string;
  readonly database: string;
}

export const constant = (schema: Schema, value: unknown): ConstantNode => ({ kind: 'constant', schema, value });

const inTransaction = (schema: Schema, index: number): WireNode => ({ kind: 'scope', schema, scope: scopes.transaction, index });

/** The block of rows of one table: streamed ones, or those of a snapshot that bear `marker`. */
export function sourceNode(names: SourceNames, schema: string, table: string, marker: SnapshotMarker | null, xmin = false): StructNode {
  const lsn = (of: Schema) =>
    marker === null
      ? ({ kind: 'own', schema: of, index: ownParts.lsn } as const)
      : ({ kind: 'scope', schema: of, scope: scopes.transaction, index: transactionScope.lsn } as const);
  const at = (name: string): Schema => fields.find(([field]) => field === name)?.[1] ?? schemas.string;
  const nodes: Record<string, WireNode> = {
    version: constant(at('version'), names.version),
    connector: constant(at('connector'), connectorName),
    name: constant(at('name'), names.server),
    ts_ms: inTransaction(at('ts_ms'), transactionScope.ms),
    // Null in a stream, as in Debezium: converters print the default, "false".
    snapshot: constant(snapshotField, marker),
    db: constant(at('db'), names.database),
    sequence: {
      kind: 'text',
      schema: at('sequence'),
      parts: [
        { kind: 'scope', schema: schemas.string, scope: scopes.transaction, index: transactionScope.sequence },
        lsn(schemas.int64),
        constant(schemas.string, '"]'),
      ],
    },
    ts_us: inTransaction(at('ts_us'), transactionScope.us),
    ts_ns: inTransaction(at('ts_ns'), transactionScope.ns),
    schema: constant(at('schema'), schema),
    table: constant(at('table'), table),
    txId: inTransaction(at('txId'), transactionScope.txId),
    // A row of an incremental snapshot has no place in the log, but `sequence` says behind what it comes.
    lsn: marker === 'incremental' ? constant(at('lsn'), null) : lsn(at('lsn')),
    xmin: xmin ? inTransaction(at('xmin'), transactionScope.xmin) : constant(at('xmin'), null),
  };
  return { kind: 'struct', schema: sourceSchema, fields: fields.map(([name]) => nodes[name] as WireNode) };
}

/** The scope of a transaction that committed at `us`. `lastCommit` is the end of the last commit before it. */
export function transactionScopeOf(
  us: number,
  txId: number | null,
  lastCommit: number | bigint | undefined,
  lsn?: number | bigint,
  xmin?: number | null,
): readonly unknown[] {
  const sequence = lastCommit === undefined ? '[null,"' : `["${lastCommit}","`;
  return [
    Math.floor(us / 1000),
    us,
    BigInt(us) * 1000n,
    txId,
    sequence,
    ...(lsn === undefined && xmin === undefined ? [] : [lsn ?? null]),
    ...(xmin === undefined ? [] : [xmin]),
  ];
}

/** The scope of now. */
export function processingScope(): readonly unknown[] {
  const us = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  return [Math.floor(us / 1000), us, BigInt(us) * 1000n];
}
