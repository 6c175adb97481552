/**
 * Fills in what rows lack (large values that did not change, nulls) by reading the row again: as it is by then, which
 * may be later than the change. Source: io.debezium.processors.reselect.ReselectColumnsPostProcessor.
 */
import { ConnectError, WireStruct, slotAbsent, slotNull } from '@millrace/runtime/api';
import type { Header, Logger, SourceRecord, WireRow } from '@millrace/runtime/api';
import pg from 'pg';

import type { ShownColumn, TableLayout } from './envelope.ts';
import { explain } from '../connection/errors.ts';
import type { ReselectSettings } from '../config/reselect-settings.ts';
import { unavailableHeader } from './row-check.ts';
import type { SqlLink } from '../connection/sql-link.ts';

/** A row that lacks something. */
interface Wish {
  readonly layout: TableLayout;
  readonly row: WireRow;
  /** How many slots it has, from `row.base` on. */
  readonly slots: number;
  readonly columns: readonly ShownColumn[];
  readonly key: readonly ShownColumn[];
  readonly settings: ReselectSettings;
}

/** So many rows are asked for in one query. */
const rowsAtOnce = 100;

export interface Reselect {
  /** A streamed row; what it lacks is read when the record is handed over. */
  note(record: SourceRecord, layout: TableLayout, row: WireRow, slots: number): void;
  /** The same records, filled in. Rejects with a ConnectError under `reselect.error.handling.mode=fail`. */
  fill(records: readonly SourceRecord[]): Promise<readonly SourceRecord[]>;
}

/** Undefined without a post-processor. */
export function createReselect(processors: readonly ReselectSettings[], sql: SqlLink, log: Logger): Reselect | undefined {
  if (processors.length === 0) return undefined;
  const wishes = new WeakMap<SourceRecord, Wish[]>();
  return {
    note(record, layout, row, slots) {
      if (record.keySchema === null) return;
      const found = processors.flatMap((settings) => wishFor(settings, layout, row, slots) ?? []);
      if (found.length > 0) wishes.set(record, found);
    },
    async fill(records) {
      const lacking = records.flatMap((record, index) => (wishes.get(record) ?? []).map((wish) => ({ record, index, wish })));
      if (lacking.length === 0) return records;
      const filled = [...records];
      // Rows of one table that lack the same columns are asked for together.
      const groups = Map.groupBy(lacking, ({ wish }) => wish.layout);
      for (const ofTable of groups.values()) {
        for (const group of Map.groupBy(
          ofTable,
          ({ wish }) => `${wish.settings.name}/${wish.columns.map(({ slot }) => slot).join()}`,
        ).values()) {
          for (let at = 0; at < group.length; at += rowsAtOnce) {
            const part = group.slice(at, at + rowsAtOnce);
            const values = await read(part.map(({ wish }) => wish));
            part.forEach(({ index, wish }, i) => {
              const found = values[i];
              if (found !== undefined) filled[index] = fillIn(filled[index] as SourceRecord, wish, found);
            });
          }
        }
      }
      return filled;
    },
  };

  /** The values of each row as PostgreSQL writes them, undefined for a row that is gone. */
  async function read(rows: readonly Wish[]): Promise<readonly (readonly (string | null)[] | undefined)[]> {
    const [{ layout, columns, key, settings }] = rows as [Wish];
    const { schema, table } = layout.shape;
    const list = columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
    const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
    const parameters: (string | null)[] = [];
    const queries = rows.map(({ row }, i) => {
      const conditions = key.map((column) => `${pg.escapeIdentifier(column.name)} = $${parameters.push(textAt(row, column.slot))}`);
      return `(select ${i} as millrace_row, ${list} from ${from} where ${conditions.join(' and ')} limit 1)`;
    });
    try {
      const result = await sql.use((client) =>
        client.query<(string | null)[]>({ text: queries.join(' union all '), values: parameters, rowMode: 'array', types: asText }),
      );
      const byRow = new Map(result.rows.map(([number, ...values]) => [Number(number), values]));
      const missing = rows.findIndex((_, i) => !byRow.has(i));
      if (missing >= 0) complain(settings, `no row of ${schema}.${table} has the key ${keyText(rows[missing] as Wish)} any more`);
      return rows.map((_, i) => byRow.get(i));
    } catch (error) {
      if (error instanceof ReselectError) throw error;
      complain(settings, explain(error, `read rows of ${schema}.${table} again`).message, error);
      return rows.map(() => undefined);
    }
  }

  function complain({ name, onError }: ReselectSettings, message: string, cause?: unknown): void {
    if (onError === 'fail') throw new ReselectError(`post-processor ${name}: ${message}`, { cause });
    log.warn(`post-processor ${name}: ${message}; the record goes out as it is`);
  }
}

class ReselectError extends ConnectError {
  override readonly name: string = 'ReselectError';
}

/** Values stay text, as in the stream. */
const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

function wishFor(settings: ReselectSettings, layout: TableLayout, row: WireRow, slots: number): Wish | undefined {
  const { schema, table, columns, key: eventKey, primaryKey } = layout.shape;
  const key = settings.byEventKey ? eventKey : (primaryKey ?? []);
  const lacking = columns.filter(({ name, slot }) => {
    const start = row.slots[row.base + 2 * slot] as number;
    const lacks = start === slotAbsent ? settings.unavailable : start === slotNull && settings.nulls;
    return lacks && settings.columns(`${schema}.${table}:${name}`);
  });
  if (lacking.length === 0 || key.length === 0 || key.some(({ slot }) => textAt(row, slot) === null)) return undefined;
  return { layout, row, slots, columns: lacking, key, settings };
}

function textAt({ bytes, slots, base }: WireRow, slot: number): string | null {
  const start = slots[base + 2 * slot] as number;
  return start < 0
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset + start, (slots[base + 2 * slot + 1] as number) - start).toString('utf8');
}

const keyText = ({ key, row }: Wish): string => key.map(({ name, slot }) => `${name}=${textAt(row, slot)}`).join(', ');

/** The record over a copy of its row, which holds what was read. */
function fillIn(record: SourceRecord, wish: Wish, values: readonly (string | null)[]): SourceRecord {
  if (!(record.value instanceof WireStruct)) return record;
  // It may have been filled in by another post-processor already.
  const row = record.value.row;
  const found = new Map(wish.columns.map(({ slot }, i) => [slot, values[i] ?? null]));
  const slots = new Int32Array(wish.slots);
  const parts: Uint8Array[] = [];
  let end = 0;
  for (let slot = 0; slot < wish.slots / 2; slot++) {
    const start = row.slots[row.base + 2 * slot] as number;
    const text = found.get(slot);
    const bytes = text === undefined ? bytesAt(row, slot, start) : text === null ? undefined : Buffer.from(text, 'utf8');
    if (bytes === undefined) {
      slots[2 * slot] = text === undefined ? start : slotNull;
      continue;
    }
    parts.push(bytes);
    slots[2 * slot] = end;
    end += bytes.length;
    slots[2 * slot + 1] = end;
  }
  const filled: WireRow = { ...row, bytes: Buffer.concat(parts, end), slots, base: 0 };
  const names = new Set(wish.columns.map(({ name }) => name));
  return { ...record, value: new WireStruct(record.value.node, filled), headers: withoutFilled(record.headers, names) };
}

function bytesAt({ bytes, slots, base }: WireRow, slot: number, start: number): Uint8Array | undefined {
  return start < 0 ? undefined : bytes.subarray(start, slots[base + 2 * slot + 1]);
}

/** What was filled in is available. */
function withoutFilled(headers: readonly Header[], filled: ReadonlySet<string>): readonly Header[] {
  const header = headers.find(({ key }) => key === unavailableHeader);
  if (header === undefined) return headers;
  const left = (header.value as readonly string[]).filter((name) => !filled.has(name));
  return headers.flatMap((one) => (one !== header ? [one] : left.length === 0 ? [] : [{ ...one, value: left }]));
}
