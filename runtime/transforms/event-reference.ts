/** Parts of a change event that go along with its row: `op`, `source.ts_ms`, `transaction.id:txid`. */
import { fieldOf, isStruct } from '../api/index.ts';
import type { Field, Schema, Struct, StructNode, WireNode } from '../api/index.ts';
import { perSchema } from './record-side.ts';

/** A part of the envelope that goes along, and what it is called there. */
export interface Reference {
  readonly path: readonly string[];
  readonly name: string;
}

/** `op`, `source.ts_ms`, `transaction.id:txid`; a plain name stands in one part of the envelope, or in the envelope itself. */
export function references(items: readonly string[], prefix: string): Reference[] {
  return items
    .filter((item) => item !== '')
    .map((item) => {
      const [path = '', alias] = item.split(':');
      const parts = path.split('.');
      return { path: parts.length === 1 ? [partOf(path), path] : parts, name: prefix + (alias ?? path.replaceAll('.', '_')) };
    });
}

/** Where Debezium looks for a plain name first; empty for the envelope itself. */
function partOf(name: string): string {
  if (['id', 'total_order', 'data_collection_order'].includes(name)) return 'transaction';
  return ['op', 'ts_ms', 'ts_us', 'ts_ns'].includes(name) ? '' : 'source';
}

/** The part that the path names, if it has the field, else the envelope. */
export function fieldAt(event: Schema, [part = '', name = '']: readonly string[]): Field | undefined {
  const inPart = part === '' ? undefined : fieldOf(fieldOf(event, part)?.schema ?? event, name);
  return inPart ?? fieldOf(event, name);
}

const optional = perSchema((schema: Schema): Schema => {
  // Without its default, as Debezium copies schemas.
  const { defaultValue: _, ...rest } = schema;
  return Object.freeze({ ...rest, optional: true });
});

/** Undefined where the event has no such field: it is left out then. */
export function schemaAt(event: Schema, path: readonly string[]): Schema | undefined {
  const field = fieldAt(event, path);
  return field && optional(field.schema);
}

export function valueAt(event: Struct, [part = '', name = '']: readonly string[]): unknown {
  const inside = part === '' ? undefined : fieldOf(event.schema, part);
  if (inside === undefined || fieldOf(inside.schema, name) === undefined) return event.get(name);
  const struct = event.at(inside.index);
  return isStruct(struct) ? struct.get(name) : null;
}

/**
 * The node that {@link valueAt} would read, of the schema that the field has where it is added. Undefined where the
 * field's part of the event has no nodes for its fields.
 */
export function nodeAt(event: StructNode, [part = '', name = '']: readonly string[]): WireNode | undefined {
  const inside = part === '' ? undefined : fieldOf(event.schema, part);
  const inPart = inside && fieldOf(inside.schema, name);
  const field = inPart ?? fieldOf(event.schema, name);
  const outer = inside && inPart ? event.fields[inside.index] : event;
  if (field === undefined || outer === undefined) return undefined;
  const schema = optional(field.schema);
  if (outer.kind === 'constant' && outer.value === null) return { kind: 'constant', schema, value: null };
  const node = outer.kind === 'struct' ? outer.fields[field.index] : undefined;
  // A schema copied without its default is still of the same type.
  return node && ({ ...node, schema } as WireNode);
}
