/** What is looked for in rows before they go out: values that are not there, and values that their schema cannot hold. */
import { DataError, arraySchema, schemas, slotAbsent } from '@millrace/runtime/api';
import type { Header, Logger } from '@millrace/runtime/api';

import type { ShownColumn, TableLayout } from './envelope.ts';
import type { Settings } from '../config/settings.ts';
import type { StreamCounts } from './stream-counts.ts';

/** Names the columns whose value is a stand-in; see `millrace.unavailable.header`. */
export const unavailableHeader = '__millrace.unavailable';
const listSchema = arraySchema(schemas.string);

type CheckSettings = Pick<Settings, 'onUnheld' | 'onBadRow' | 'unavailableHeader' | 'values'>;

const quietMs = 10_000;

export class RowCheck {
  readonly #settings: CheckSettings;
  readonly #log: Logger | undefined;
  readonly #counts: Pick<StreamCounts, 'erroneous'> | undefined;
  readonly #told = new Map<string, number>();
  readonly #headers = new Map<string, Header>();
  /** Of each header of ours, the list that it ends. */
  readonly #lists = new Map<Header, readonly Header[]>();

  constructor(settings: CheckSettings, log: Logger | undefined, counts?: Pick<StreamCounts, 'erroneous'>) {
    this.#counts = counts;
    this.#settings = settings;
    this.#log = log;
  }

  /**
   * The headers of a row, `context` and ours; undefined for a row that is not to be published. Of a `new` one, which was
   * inserted or read by a snapshot, every value came. `base` is where the row's slots begin.
   */
  headers(
    kind: 'new' | 'updated',
    layout: TableLayout,
    bytes: Uint8Array,
    slots: Int32Array,
    base: number,
    context: readonly Header[],
  ): readonly Header[] | undefined {
    if (kind === 'new' && layout.watched.unheld.length === 0 && this.#settings.onBadRow === 'fail') return context;
    const found = this.#look(layout, bytes, slots, base);
    if (found === undefined) return context;
    if (found === 'leave out') return undefined;
    let headers = this.#lists.get(found);
    if (headers === undefined) this.#lists.set(found, (headers = Object.freeze([...context, found])));
    return headers;
  }

  /**
   * The header that a row needs, undefined for none, or 'leave out' for a row that is not to be published. `base` is
   * where the row's slots begin. Throws a DataError when the row must not pass.
   */
  #look(layout: TableLayout, bytes: Uint8Array, slots: Int32Array, base: number): Header | 'leave out' | undefined {
    const { watched } = layout;
    let names: string[] | undefined;
    try {
      for (const column of watched.unheld) {
        const at = base + 2 * column.slot;
        const start = slots[at] as number;
        if (start < 0 || !(column.type.cannotHold as NonNullable<typeof column.type.cannotHold>)(bytes, start, slots[at + 1] as number))
          continue;
        this.#unheld(layout, column);
        if (!column.schema.optional) names = [...(names ?? []), column.name];
      }
      if (this.#settings.onBadRow !== 'fail') decodeAll(layout, bytes, slots, base);
    } catch (error) {
      if (this.#counts !== undefined && error instanceof DataError) this.#counts.erroneous++;
      if (this.#settings.onBadRow === 'fail' || !(error instanceof DataError)) throw error;
      const { schema, table } = layout.shape;
      this.#tell(this.#settings.onBadRow, `${schema}.${table}`, `a row of ${schema}.${table} is left out: ${error.message}`);
      return 'leave out';
    }
    const { unavailableHeader: wanted } = this.#settings;
    if (wanted === 'none') return undefined;
    names = absentIn(watched.silent, slots, base, names);
    if (wanted === 'all') names = absentIn(watched.told, slots, base, names);
    return names === undefined ? undefined : this.#header(names);
  }

  #unheld({ shape: { schema, table, key } }: TableLayout, column: ShownColumn): void {
    const { onUnheld, onBadRow, values } = this.#settings;
    const name = `${schema}.${table}.${column.name}`;
    const inKey = key.some((one) => one.slot === column.slot);
    const found = `column ${name} holds NaN or an infinity, which a decimal cannot`;
    const refuse = onUnheld === 'fail' || (!column.schema.optional && (inKey || values.compatible || onBadRow !== 'fail'));
    if (refuse) {
      throw new DataError(
        `${found}${column.schema.optional ? '' : `, and null is not allowed for (Invalid value: null used for required field: "${column.name}")`}. Set decimal.handling.mode=string or double, or event.processing.failure.handling.mode=warn to leave such rows out.`,
      );
    }
    const instead = column.schema.optional ? 'null is written' : `its default is written, and header ${unavailableHeader} names the column`;
    this.#tell(onUnheld, name, `${found}: ${instead}`);
  }

  /** Not more often than every ten seconds for each thing. */
  #tell(how: 'warn' | 'skip', about: string, message: string): void {
    if (how === 'skip') {
      this.#log?.debug(message);
      return;
    }
    const now = performance.now();
    if (now - (this.#told.get(about) ?? -Infinity) < quietMs) return;
    this.#told.set(about, now);
    this.#log?.warn(message);
  }

  /** Shared between rows, since converters keep what they made of it. */
  #header(names: readonly string[]): Header {
    const id = names.join('\0');
    let header = this.#headers.get(id);
    if (header === undefined) {
      header = Object.freeze({ key: unavailableHeader, schema: listSchema, value: Object.freeze([...names]) });
      this.#headers.set(id, header);
    }
    return header;
  }
}

function absentIn(columns: readonly ShownColumn[], slots: Int32Array, base: number, names: string[] | undefined): string[] | undefined {
  let found = names;
  for (const { slot, name } of columns) if (slots[base + 2 * slot] === slotAbsent) (found ??= []).push(name);
  return found;
}

function decodeAll({ shape: { columns } }: TableLayout, bytes: Uint8Array, slots: Int32Array, base: number): void {
  for (const { slot, type } of columns) {
    const start = slots[base + 2 * slot] as number;
    if (start >= 0) type.decode(bytes, start, slots[base + 2 * slot + 1] as number);
  }
}
