/** Debezium's change event envelope: schemas of a table's keys and values, and where their fields come from. */
import { schemas, structSchema } from '@millrace/runtime/api';
import type { Schema, StructNode, StructSchema, WireNode } from '@millrace/runtime/api';

import { constant, ownParts, scopes, sourceNode, sourceSchema, transactionScope } from './source-block.ts';
import type { SnapshotMarker, SourceNames } from './source-block.ts';
import type { ValueType } from '../values/value-type.ts';

export const transactionBlock = structSchema(
  [
    ['id', schemas.string],
    ['total_order', schemas.int64],
    ['data_collection_order', schemas.int64],
  ],
  { name: 'event.block', version: 1, optional: true },
);

/** One column of a table, as its records show it. */
export interface ShownColumn {
  readonly name: string;
  /** Its name in records, which may be adjusted. */
  readonly field: string;
  /** Its place in the tuples that PostgreSQL sends. */
  readonly slot: number;
  readonly type: ValueType;
  readonly schema: Schema;
  /** Whether it is part of the replica identity. */
  readonly identity: boolean;
  /** The same text for all rows, in place of the value: a mask. */
  readonly fixed?: string;
  /** What stands for a value that PostgreSQL leaves out of an old row, where it is not the schema's default. */
  readonly leftOut?: unknown;
}

export interface TableShape {
  readonly topic: string;
  readonly schemaNames: { readonly key: string; readonly value: string; readonly envelope: string };
  readonly schema: string;
  readonly table: string;
  /** How many columns a tuple has, shown or not. */
  readonly width: number;
  readonly columns: readonly ShownColumn[];
  /** Those of the primary key, or else of a unique one, as far as they are shown. */
  readonly primaryKey?: readonly ShownColumn[];
  /** The columns of the key, in order; empty for a null key. */
  readonly key: readonly ShownColumn[];
  /** Columns whose values a schema lists (enums): rows are looked through for others; empty where none is. */
  readonly listed: readonly ShownColumn[];
  /** One more field of the key, the same for all rows. */
  readonly keyField: { readonly name: string; readonly value: string } | undefined;
}

/** The columns of a table that there is anything to look for in. */
export interface Watched {
  /** May hold what their schema cannot: NaN and the infinities, in decimals. */
  readonly unheld: readonly ShownColumn[];
  /** Debezium has no placeholder for these, and writes null for a large value that did not change. */
  readonly silent: readonly ShownColumn[];
  /** All others. */
  readonly told: readonly ShownColumn[];
}

function watchedOf(columns: readonly ShownColumn[]): Watched {
  return {
    unheld: columns.filter(({ type }) => type.cannotHold !== undefined),
    silent: columns.filter(({ type }) => type.unavailable === null),
    told: columns.filter(({ type }) => type.unavailable !== null),
  };
}

/** Where the row before the change stands: nowhere, with its identity columns only, or whole. */
export type OldRow = 'none' | 'identity' | 'full';

/**
 * A table's records, compiled. In `slots` the new row stands first, the old one `width` slots after: what is made
 * for an old row alone is read with a base that lies so much lower.
 */
export interface TableLayout {
  readonly shape: TableShape;
  readonly watched: Watched;
  readonly keySchema: StructSchema | null;
  readonly valueSchema: StructSchema;
  readonly newKey: StructNode | null;
  readonly oldKey: { readonly identity: StructNode | null; readonly full: StructNode | null };
  readonly create: StructNode;
  readonly update: Readonly<Record<OldRow, StructNode>>;
  readonly delete: { readonly identity: StructNode; readonly full: StructNode };
  readonly truncate: StructNode;
  /** Rows of a snapshot. */
  read(marker: SnapshotMarker): StructNode;
}

/** What a layout holds beyond the rows. */
export interface EnvelopeOptions {
  /** Whether streamed rows tell their place in their transaction: `row.own` is the LSN, and the two orders. */
  readonly transactions?: boolean;
  /** Whether the transaction's scope tells the slot's xmin. */
  readonly xmin?: boolean;
}

const place: StructNode = {
  kind: 'struct',
  schema: transactionBlock,
  fields: [
    {
      kind: 'text',
      schema: schemas.string,
      parts: [
        { kind: 'scope', schema: schemas.int64, scope: scopes.transaction, index: transactionScope.txId },
        constant(schemas.string, ':'),
        { kind: 'own', schema: schemas.int64, index: ownParts.lsn },
      ],
    },
    { kind: 'own', schema: schemas.int64, index: ownParts.totalOrder },
    { kind: 'own', schema: schemas.int64, index: ownParts.collectionOrder },
  ],
};

export function compileTable(shape: TableShape, names: SourceNames, options: EnvelopeOptions = {}): TableLayout {
  const { schemaNames, columns, key, keyField, width } = shape;
  const rowSchema = structSchema(
    columns.map((column) => [column.field, column.schema]),
    { name: schemaNames.value, optional: true },
  );
  const keySchema =
    key.length === 0 && keyField === undefined
      ? null
      : structSchema(
          [
            ...key.map((column) => [column.field, column.schema] as const),
            ...(keyField === undefined ? [] : [[keyField.name, schemas.string] as const]),
          ],
          { name: schemaNames.key },
        );
  const valueSchema = structSchema(
    [
      ['before', rowSchema],
      ['after', rowSchema],
      ['source', sourceSchema],
      ['transaction', transactionBlock],
      ['op', schemas.string],
      ['ts_ms', schemas.optionalInt64],
      ['ts_us', schemas.optionalInt64],
      ['ts_ns', schemas.optionalInt64],
    ],
    { name: schemaNames.envelope, version: 2 },
  );

  const struct = (schema: StructSchema, fields: readonly WireNode[]): StructNode => ({ kind: 'struct', schema, fields });
  const row = (offset: number): StructNode =>
    struct(
      rowSchema,
      columns.map((column) => slotNode(standingIn(column), offset)),
    );
  const identityRow = struct(
    rowSchema,
    columns.map((column) => (column.identity ? slotNode(column, width) : missing(column))),
  );
  const keyAt = (node: (column: ShownColumn) => WireNode): StructNode | null =>
    keySchema && struct(keySchema, [...key.map(node), ...(keyField === undefined ? [] : [constant(schemas.string, keyField.value)])]);
  const processing = (index: number): WireNode => ({ kind: 'scope', schema: schemas.optionalInt64, scope: scopes.processing, index });
  const noRow = constant(rowSchema, null);
  const noTransaction = constant(transactionBlock, null);
  const streamed = options.transactions === true ? place : noTransaction;
  const envelope = (op: string, before: WireNode, after: WireNode, source: StructNode): StructNode => {
    const transaction = op === 'r' ? noTransaction : streamed;
    return struct(valueSchema, [
      before,
      after,
      source,
      transaction,
      constant(schemas.string, op),
      processing(0),
      processing(1),
      processing(2),
    ]);
  };

  const newRow = row(0);
  const oldRow = row(width);
  const source = sourceNode(names, shape.schema, shape.table, null, options.xmin === true);
  const reads = new Map<SnapshotMarker, StructNode>();
  return {
    shape,
    watched: watchedOf(columns),
    keySchema,
    valueSchema,
    newKey: keyAt((column) => slotNode(column, 0)),
    oldKey: {
      identity: keyAt((column) => (column.identity ? slotNode(column, width) : missing(column))),
      full: keyAt((column) => slotNode(column, width)),
    },
    create: envelope('c', noRow, newRow, source),
    update: {
      none: envelope('u', noRow, newRow, source),
      identity: envelope('u', identityRow, newRow, source),
      full: envelope('u', oldRow, newRow, source),
    },
    delete: {
      identity: envelope('d', identityRow, noRow, source),
      full: envelope('d', oldRow, noRow, source),
    },
    truncate: envelope('t', noRow, noRow, source),
    read(marker) {
      let node = reads.get(marker);
      if (node === undefined) {
        node = envelope('r', noRow, newRow, sourceNode(names, shape.schema, shape.table, marker));
        reads.set(marker, node);
      }
      return node;
    },
  };
}

/** In rows, a value that is required and cannot be held is what a missing one is; in keys it would merge rows. */
function standingIn(column: ShownColumn): ShownColumn {
  const { type, schema } = column;
  if (type.cannotHold === undefined || schema.optional) return column;
  const instead = schema.defaultValue ?? type.zero;
  return { ...column, type: { ...type, decode: (bytes, start, end) => type.decode(bytes, start, end) ?? instead } };
}

function slotNode({ slot, type, schema, fixed }: ShownColumn, offset: number): WireNode {
  if (fixed !== undefined) return constant(schema, fixed);
  const absent = type.unavailable ?? (schema.optional ? null : type.zero);
  return { kind: 'slot', schema, slot: slot + offset, form: type.form, decode: type.decode, absent };
}

/** A column that PostgreSQL leaves out of an old row: null, or what Debezium puts where null is not allowed. */
function missing({ type, schema, fixed, leftOut }: ShownColumn): WireNode {
  return constant(schema, fixed ?? (schema.optional ? null : (leftOut ?? schema.defaultValue ?? type.zero)));
}
