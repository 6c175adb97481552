/**
 * Rows that still stand in their source's bytes stay there when a transform only adds, drops or renames fields: the
 * tree of nodes changes, once for each tree, and no value is decoded.
 */
import { WireStruct, slotAbsent } from '../api/index.ts';
import type { Struct, StructNode, StructSchema, WireForm, WireNode, WireRow } from '../api/index.ts';

/**
 * A function that gives rows another tree of nodes, made by `change` once for each tree, if it can be. Undefined for a
 * struct of values, and for a row in which a default would take the place of null: only a struct of values can hold that.
 */
export function rowChange(
  change: (node: StructNode) => StructNode | undefined,
  replaceNull: boolean,
): (struct: Struct) => WireStruct | undefined {
  const changed = new WeakMap<StructNode, { readonly node: StructNode | undefined; readonly doubtful: readonly WireNode[] }>();
  return (struct) => {
    if (!(struct instanceof WireStruct)) return undefined;
    const { node, row } = struct;
    let plan = changed.get(node);
    if (plan === undefined) {
      plan = { node: change(node), doubtful: replaceNull ? withDefaults(node) : [] };
      changed.set(node, plan);
    }
    if (plan.node === undefined) return undefined;
    for (const each of plan.doubtful) if (!hasValue(each, row)) return undefined;
    return new WireStruct(plan.node, row);
  };
}

/** The node of a struct with these fields. */
export const structNode = (schema: StructSchema, fields: readonly WireNode[]): StructNode => ({ kind: 'struct', schema, fields });

/** Fields whose default would take the place of null. */
function withDefaults(node: StructNode): WireNode[] {
  return node.fields.filter(({ schema }) => (schema.defaultValue ?? null) !== null);
}

function hasValue(node: WireNode, row: WireRow): boolean {
  if (node.kind === 'constant') return node.value !== null;
  if (node.kind !== 'slot') return false;
  const at = row.base + 2 * node.slot;
  const start = row.slots[at] as number;
  if (start < 0) return start === slotAbsent && node.absent !== null;
  // Others may have bytes and still be null: a NaN that a decimal cannot hold.
  return neverNull.has(node.form) || node.decode(row.bytes, start, row.slots[at + 1] as number) !== null;
}

const neverNull: ReadonlySet<WireForm> = new Set(['integer', 'text', 'boolean']);
