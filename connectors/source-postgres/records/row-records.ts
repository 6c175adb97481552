/** From the rows of a replication stream to records: the line that every streamed row takes. */
import { WireStruct, slotAbsent } from '@millrace/runtime/api';
import type { Header, OffsetMap, WireRow } from '@millrace/runtime/api';

import type { OldRow, TableLayout } from './envelope.ts';
import type { Lsn } from '../position/lsn.ts';
import { parts } from '../position/offsets.ts';
import { ProtocolError } from '../pgoutput/reader.ts';
import { readTuple } from '../pgoutput/tuple.ts';
import type { RecordQueue } from './queue.ts';
import { rowRecord } from './records.ts';
import type { RecordContext } from './records.ts';
import type { Reselect } from './reselect.ts';
import type { RowCheck } from './row-check.ts';
import type { OffsetParts, RowPlace } from './row-place.ts';
import type { Settings } from '../config/settings.ts';
import { SlotArena } from './slot-arena.ts';
import { isUnchanged } from './unchanged.ts';

export type MessageType = 'BEGIN' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'MESSAGE';

/** Shapes are kept few, since there is one such object for each record. */
export function rowOffset(
  { lastCommit, txId, us, tally }: OffsetParts,
  messageType: MessageType,
  lsn: Lsn,
  row: number,
  part: number,
): OffsetMap {
  if (tally === undefined && lastCommit !== undefined && row === 0 && part === 0 && txId !== null) {
    return { lsn_proc: lsn, messageType, lsn_commit: lastCommit, lsn, txId, ts_usec: us };
  }
  return {
    lsn_proc: lsn,
    messageType,
    ...(lastCommit === undefined ? {} : { lsn_commit: lastCommit }),
    lsn,
    ...(txId === null ? {} : { txId }),
    ts_usec: us,
    ...(row === 0 ? {} : { millrace_row: row }),
    ...(part === 0 ? {} : { millrace_part: part }),
    ...tally?.stored(),
  };
}

type RowSettings = Pick<Settings, 'tombstones' | 'skipUnchanged' | 'skipped'>;

const newTuple = 0x4e;
const keyTuple = 0x4b;
const oldTuple = 0x4f;

export class RowRecords {
  readonly #context: RecordContext;
  readonly #queue: RecordQueue;
  readonly #tombstones: boolean;
  readonly #skipUnchanged: boolean;
  readonly #skips: { readonly c: boolean; readonly u: boolean; readonly d: boolean };
  readonly #check: RowCheck;
  readonly #reselect: Reselect | undefined;
  readonly #arena = new SlotArena();

  constructor(context: RecordContext, queue: RecordQueue, settings: RowSettings, check: RowCheck, reselect?: Reselect) {
    this.#check = check;
    this.#reselect = reselect;
    this.#context = context;
    this.#queue = queue;
    this.#tombstones = settings.tombstones;
    this.#skipUnchanged = settings.skipUnchanged;
    const { skipped } = settings;
    this.#skips = { c: skipped.has('c'), u: skipped.has('u'), d: skipped.has('d') };
  }

  /** `at` is behind the relation's oid. */
  insert(layout: TableLayout, bytes: Uint8Array, at: number, end: number, place: RowPlace): void {
    if (place.done >= 0) return;
    if (bytes[at] !== newTuple) throw new ProtocolError(`an insert with a tuple of kind ${bytes[at]}`);
    const { width, topic } = layout.shape;
    const base = this.#arena.reserve(2 * width);
    const { slots } = this.#arena;
    readTuple(bytes, at + 1, end, width, slots, base);
    const headers = this.#check.headers('new', layout, bytes, slots, base, this.#context.headers);
    if (headers === undefined) return;
    const row: WireRow = { bytes, slots, base, scopes: place.scopes, own: ownOf(layout, place) };
    const offset = rowOffset(place.transaction, 'INSERT', place.lsn, place.row, 0);
    const record = rowRecord(
      this.#context,
      topic,
      layout.keySchema,
      layout.newKey,
      layout.valueSchema,
      layout.create,
      row,
      headers,
      offset,
    );
    this.#reselect?.note(record, layout, row, 2 * width);
    this.#queue.push(record, end - at);
  }

  update(layout: TableLayout, bytes: Uint8Array, start: number, end: number, place: RowPlace): void {
    const { width, topic } = layout.shape;
    const base = this.#arena.reserve(4 * width);
    const { slots } = this.#arena;
    let at = start;
    let old: OldRow = 'none';
    if (bytes[at] === keyTuple || bytes[at] === oldTuple) {
      old = bytes[at] === keyTuple ? 'identity' : 'full';
      at = readTuple(bytes, at + 1, end, width, slots, base + 2 * width);
    }
    if (bytes[at] !== newTuple) throw new ProtocolError(`an update with a tuple of kind ${bytes[at]}`);
    readTuple(bytes, at + 1, end, width, slots, base);
    if (old === 'full') takeUnchanged(slots, base, width);
    if (old !== 'none' && keyChanged(layout, old, { bytes, slots, base })) {
      this.#changedKey(layout, old, { bytes, slots, base }, end - start, place);
      return;
    }
    if (this.#skips.u || place.done >= 0 || (this.#skipUnchanged && old === 'full' && isUnchanged(layout, { bytes, slots, base }))) return;
    const headers = this.#check.headers('updated', layout, bytes, slots, base, this.#context.headers);
    if (headers === undefined) return;
    const row: WireRow = { bytes, slots, base, scopes: place.scopes, own: ownOf(layout, place) };
    const offset = rowOffset(place.transaction, 'UPDATE', place.lsn, place.row, 0);
    const event = layout.update[old];
    const record = rowRecord(this.#context, topic, layout.keySchema, layout.newKey, layout.valueSchema, event, row, headers, offset);
    this.#reselect?.note(record, layout, row, 4 * width);
    this.#queue.push(record, end - start);
  }

  delete(layout: TableLayout, bytes: Uint8Array, at: number, end: number, place: RowPlace): void {
    const { width } = layout.shape;
    if (bytes[at] !== keyTuple && bytes[at] !== oldTuple) throw new ProtocolError(`a delete with a tuple of kind ${bytes[at]}`);
    const base = this.#arena.reserve(2 * width);
    const { slots } = this.#arena;
    readTuple(bytes, at + 1, end, width, slots, base);
    // The layouts of old rows look `width` slots higher.
    const row = { bytes, slots, base: base - 2 * width };
    this.#deleted(layout, bytes[at] === keyTuple ? 'identity' : 'full', row, end - at, place, 'DELETE', this.#context.headers);
  }

  truncate(layout: TableLayout, part: number, place: RowPlace): void {
    if (part <= place.done) return;
    const row: WireRow = { bytes: noBytes, slots: noSlots, base: 0, scopes: place.scopes, own: ownOf(layout, place) };
    const offset = rowOffset(place.transaction, 'TRUNCATE', place.lsn, place.row, part);
    this.#queue.push(
      rowRecord(this.#context, layout.shape.topic, null, null, layout.valueSchema, layout.truncate, row, this.#context.headers, offset),
      64,
    );
  }

  /** The record, and the tombstone after it. */
  #deleted(
    layout: TableLayout,
    old: 'identity' | 'full',
    at: RowSlots,
    bytes: number,
    place: RowPlace,
    type: MessageType,
    headers: readonly Header[],
  ): void {
    const { topic } = layout.shape;
    const key = layout.oldKey[old];
    const row: WireRow = { ...at, scopes: place.scopes, own: place.done < 0 ? ownOf(layout, place) : [place.lsn] };
    const push = (part: number, value: TableLayout['create'] | null): void => {
      if (part <= place.done) return;
      const offset = rowOffset(place.transaction, type, place.lsn, place.row, part);
      this.#queue.push(rowRecord(this.#context, topic, layout.keySchema, key, layout.valueSchema, value, row, headers, offset), bytes);
    };
    push(parts.first, layout.delete[old]);
    if (this.#tombstones) push(parts.tombstone, null);
  }

  /** A changed key is a delete under the old one and a create under the new one, each naming the other, and skipped as such. */
  #changedKey(layout: TableLayout, old: 'identity' | 'full', at: RowSlots, bytes: number, place: RowPlace): void {
    const oldKey = layout.oldKey[old];
    const { newKey, keySchema } = layout;
    if (oldKey === null || newKey === null) throw new ProtocolError('a changed key without a key');
    const { headers } = this.#context;
    const told = this.#check.headers('updated', layout, at.bytes, at.slots, at.base, headers);
    const keyRow: WireRow = { ...at, scopes: place.scopes, own: [place.lsn] };
    const newKeyHeader: Header = { key: '__debezium.newkey', schema: keySchema, value: new WireStruct(newKey, keyRow) };
    if (!this.#skips.d) this.#deleted(layout, old, at, bytes, place, 'UPDATE', [newKeyHeader, ...headers]);
    if (this.#skips.c || parts.create <= place.done) return;
    if (told === undefined) return;
    const row: WireRow = { ...keyRow, own: ownOf(layout, place) };
    const oldKeyHeader: Header = { key: '__debezium.oldkey', schema: keySchema, value: new WireStruct(oldKey, row) };
    const offset = rowOffset(place.transaction, 'UPDATE', place.lsn, place.row, parts.create);
    const { topic, width } = layout.shape;
    const all = [oldKeyHeader, ...told];
    const record = rowRecord(this.#context, topic, keySchema, newKey, layout.valueSchema, layout.create, row, all, offset);
    this.#reselect?.note(record, layout, row, 4 * width);
    this.#queue.push(record, bytes);
  }
}

/** Where a row's values stand. */
type RowSlots = Pick<WireRow, 'bytes' | 'slots' | 'base'>;

/** What an event has of its own; counts it. */
function ownOf({ shape: { schema, table } }: TableLayout, { lsn, transaction: { tally } }: RowPlace): readonly unknown[] {
  return tally === undefined ? [lsn] : tally.next(lsn, `${schema}.${table}`);
}

const noBytes = new Uint8Array(0);
const noSlots = new Int32Array(0);

/** A value that was not sent since it did not change is the one of the old row. */
function takeUnchanged(slots: Int32Array, base: number, width: number): void {
  for (let slot = base, old = base + 2 * width; slot < base + 2 * width; slot += 2, old += 2) {
    if (slots[slot] !== slotAbsent) continue;
    slots[slot] = slots[old] as number;
    slots[slot + 1] = slots[old + 1] as number;
  }
}

function keyChanged({ shape: { key, width } }: TableLayout, old: 'identity' | 'full', { bytes, slots, base }: RowSlots): boolean {
  return key.some(({ slot, identity }) => {
    // The old value was not sent: Debezium takes its stand-in for it, which is as good as a change.
    if (old === 'identity' && !identity) return true;
    const [start, from] = [slots[base + 2 * slot] as number, slots[base + 2 * (slot + width)] as number];
    // A key column that stands unchanged in TOAST did not change.
    if (start < 0 || from < 0) return start !== from && start !== slotAbsent;
    const length = (slots[base + 2 * slot + 1] as number) - start;
    if ((slots[base + 2 * (slot + width) + 1] as number) - from !== length) return true;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[from + i]) return true;
    return false;
  });
}
