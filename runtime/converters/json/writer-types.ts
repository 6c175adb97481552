import type { ByteSink, Schema, StructNode, WireRow } from '../../api/index.ts';
import type { JsonSettings } from './settings.ts';

/** Appends one value of the schema that it was compiled for, null included. */
export type ValueWriter = (value: unknown, out: ByteSink) => void;

/** Appends the struct that a row has under the tree of nodes that it was compiled for. */
export type RowWriter = (row: WireRow, out: ByteSink) => void;

/** Serialisers compiled once for each schema, and for each tree of wire nodes, and kept by identity. */
export interface JsonWriters {
  readonly settings: JsonSettings;
  forSchema(schema: Schema): ValueWriter;
  forNode(node: StructNode): RowWriter;
  schemaless(value: unknown, out: ByteSink): void;
}
