/** What a record wants done: a row written, one deleted, a table emptied; flat records and Debezium's envelopes alike. */
import { DataError, fieldOf, isStruct } from '@millrace/runtime/api';
import type { Schema, SinkRecord } from '@millrace/runtime/api';

/** `flat` says nothing of whether the row is there already; `c` (or a snapshot's `r`) says that it is new, `u` that it is not. */
export type RowOperation = 'flat' | 'c' | 'u';

export type Change =
  | { readonly kind: 'row'; readonly operation: RowOperation; readonly row: unknown; readonly schema: Schema | null }
  /** `row` is what the event has of the row, or null (a tombstone). */
  | { readonly kind: 'delete'; readonly row: unknown; readonly schema: Schema | null }
  | { readonly kind: 'truncate' }
  /** Nothing for a table: a heartbeat, a schema change, a logical message. */
  | { readonly kind: 'nothing' };

const nothing: Change = { kind: 'nothing' };
const truncate: Change = { kind: 'truncate' };
const tombstone: Change = { kind: 'delete', row: null, schema: null };

interface Envelope {
  readonly op: number;
  readonly before: { readonly index: number; readonly schema: Schema } | undefined;
  readonly after: { readonly index: number; readonly schema: Schema } | undefined;
}

const envelopes = new WeakMap<Schema, Envelope | 'flat' | 'nothing'>();

/** Throws a DataError for a value that is neither. */
export function changeOf({ value, valueSchema }: SinkRecord): Change {
  if (value === null || value === undefined) return tombstone;
  if (valueSchema === null) return schemalessChange(value);
  if (valueSchema.type === 'string') return { kind: 'row', operation: 'flat', row: value, schema: valueSchema };
  if (!isStruct(value)) throw notARow(valueSchema.type);
  const form = formOf(valueSchema);
  if (form === 'flat') return { kind: 'row', operation: 'flat', row: value, schema: valueSchema };
  if (form === 'nothing') return nothing;
  const op = value.at(form.op);
  const part = op === 'd' ? form.before : form.after;
  const row = part === undefined ? null : value.at(part.index);
  return eventChange(op, row, part?.schema ?? null);
}

function formOf(schema: Schema): Envelope | 'flat' | 'nothing' {
  let form = envelopes.get(schema);
  if (form === undefined) envelopes.set(schema, (form = compileForm(schema)));
  return form;
}

function compileForm(schema: Schema): Envelope | 'flat' | 'nothing' {
  const name = schema.name ?? '';
  if (/SchemaChangeValue$|^io\.debezium\.connector\.common\.(Heartbeat|TransactionMetadataValue)$/.test(name)) return 'nothing';
  const op = fieldOf(schema, 'op');
  const [before, after] = [fieldOf(schema, 'before'), fieldOf(schema, 'after')];
  if (op?.schema.type !== 'string') return 'flat';
  if (name.endsWith('.MessageValue')) return 'nothing';
  const rows = [before, after].filter((field) => field?.schema.type === 'struct');
  // ExtractNewRecordState leaves the envelope's name behind, and a table may have a column "op".
  if (rows.length === 0 || !(name.endsWith('Envelope') || fieldOf(schema, 'source')?.schema.type === 'struct')) return 'flat';
  return { op: op.index, before, after };
}

function eventChange(op: unknown, row: unknown, schema: Schema | null): Change {
  switch (op) {
    case 'c':
    case 'r':
    case 'u':
      if (row === null || row === undefined) throw new DataError(`an event of operation "${op}" has no row after the change`);
      return { kind: 'row', operation: op === 'u' ? 'u' : 'c', row, schema };
    case 'd':
      return { kind: 'delete', row: row ?? null, schema };
    case 't':
      return truncate;
    case 'm':
      return nothing;
  }
  throw new DataError(`an event has operation ${JSON.stringify(op)}, which is none of c, r, u, d, t, m`);
}

function schemalessChange(value: unknown): Change {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw notARow(Array.isArray(value) ? 'array' : value instanceof Uint8Array ? 'bytes' : typeof value);
  }
  const { op, before, after, source } = value as Record<string, unknown>;
  const isEvent = typeof op === 'string' && typeof source === 'object' && source !== null && (before !== undefined || after !== undefined);
  if (!isEvent) return { kind: 'row', operation: 'flat', row: value, schema: null };
  return eventChange(op, op === 'd' ? before : after, null);
}

const notARow = (found: string): DataError =>
  new DataError(`a record's value must be a struct or an object, for its fields to become columns; this one is of type ${found}.`, {
    hint: 'Read it with a converter that knows its fields, such as JsonConverter, or wrap it with the transform HoistField.',
  });
