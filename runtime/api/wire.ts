/**
 * Structs that still stand in their source's bytes.
 *
 * A source that reads millions of rows of one shape describes that shape once, as a tree of {@link WireNode}s,
 * and hands over rows: bytes, and where each value starts and ends in them. A converter compiles the tree into a
 * serialiser that copies the bytes; a transform that asks for a field gets it decoded then, and only that field.
 */
import { DataError } from './errors.ts';
import { fieldOf } from './schema.ts';
import type { Schema, StructSchema } from './schema.ts';

/**
 * What a value's bytes are, for a serialiser that can copy them without decoding:
 * `integer`: a decimal integer in ASCII; `text`: UTF-8; `boolean`: `t` or `f`; `decimal`: a number in ASCII, usually
 * plain ("-12.30"), of a Decimal schema; `other`: only `decode` knows.
 */
export type WireForm = 'integer' | 'text' | 'boolean' | 'decimal' | 'other';

/** The same value in every row of the layout. */
export interface ConstantNode {
  readonly kind: 'constant';
  readonly schema: Schema;
  readonly value: unknown;
}

/** `row.scopes[scope][index]`: the same for a run of rows (a transaction, a poll), so its bytes can be kept. */
export interface ScopeNode {
  readonly kind: 'scope';
  readonly schema: Schema;
  readonly scope: number;
  readonly index: number;
}

/** `row.own[index]`: a value of this row alone that does not stand in its bytes (an LSN). */
export interface OwnNode {
  readonly kind: 'own';
  readonly schema: Schema;
  readonly index: number;
}

/** The bytes between `row.slots[row.base + 2 × slot]` and the entry after it, as positions in `row.bytes`. */
export interface SlotNode {
  readonly kind: 'slot';
  readonly schema: Schema;
  readonly slot: number;
  readonly form: WireForm;
  /** The value of these bytes. Throws a DataError when they are none. */
  readonly decode: (bytes: Uint8Array, start: number, end: number) => unknown;
  /** The value where the source left it out ({@link slotAbsent}). */
  readonly absent: unknown;
}

/** A string made of parts whose values are written one after another. */
export interface TextNode {
  readonly kind: 'text';
  readonly schema: Schema;
  readonly parts: readonly (ConstantNode | ScopeNode | OwnNode)[];
}

export interface StructNode {
  readonly kind: 'struct';
  readonly schema: StructSchema;
  /** One for each field of the schema, in order. */
  readonly fields: readonly WireNode[];
}

export type WireNode = ConstantNode | ScopeNode | OwnNode | SlotNode | TextNode | StructNode;

/** In `slots`, as a start: the value is null. */
export const slotNull = -1;
/** In `slots`, as a start: the source did not send the value (an unchanged TOAST column). */
export const slotAbsent = -2;

/** One row: shared bytes and slots, and where this row's slots begin. */
export interface WireRow {
  readonly bytes: Uint8Array;
  /** Start and end of each value in `bytes`, in pairs. */
  readonly slots: Int32Array;
  readonly base: number;
  readonly scopes: readonly (readonly unknown[])[];
  readonly own: readonly unknown[];
}

/** A struct over a row; see {@link WireNode}. */
export class WireStruct {
  readonly node: StructNode;
  readonly row: WireRow;

  constructor(node: StructNode, row: WireRow) {
    this.node = node;
    this.row = row;
  }

  get schema(): StructSchema {
    return this.node.schema;
  }

  get(name: string): unknown {
    const field = fieldOf(this.node.schema, name);
    if (field === undefined) throw new DataError(`${this.schema.name ?? 'the struct'} has no field "${name}"`);
    return this.at(field.index);
  }

  at(index: number): unknown {
    const node = this.node.fields[index];
    return node === undefined ? null : wireValue(node, this.row);
  }
}

/** The value that a node has in a row, decoded. */
export function wireValue(node: WireNode, row: WireRow): unknown {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'scope':
      return row.scopes[node.scope]?.[node.index] ?? null;
    case 'own':
      return row.own[node.index] ?? null;
    case 'slot': {
      const at = row.base + 2 * node.slot;
      const start = row.slots[at] as number;
      if (start < 0) return start === slotAbsent ? node.absent : null;
      return node.decode(row.bytes, start, row.slots[at + 1] as number);
    }
    case 'text':
      return node.parts.map((part) => String(wireValue(part, row))).join('');
    case 'struct':
      return new WireStruct(node, row);
  }
}
