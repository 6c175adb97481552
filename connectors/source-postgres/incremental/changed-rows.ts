/** Which rows of one table the stream has told of since a chunk was begun. */
import { slotAbsent, slotNull } from '@millrace/runtime/api';

import type { Relation } from '../pgoutput/messages.ts';
import { readTuple } from '../pgoutput/tuple.ts';

const keyTuple = 0x4b;
const oldTuple = 0x4f;

/** The values of a row's columns as one string; undefined where one was not sent. */
export function rowIdentity(bytes: Uint8Array, slots: Int32Array, base: number, places: readonly number[]): string | undefined {
  let identity = '';
  for (const place of places) {
    const start = slots[base + 2 * place] as number;
    if (start === slotAbsent) return undefined;
    if (start === slotNull) identity += 'n;';
    else {
      const end = slots[base + 2 * place + 1] as number;
      identity += `${end - start}:${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')};`;
    }
  }
  return identity;
}

export class ChangedRows {
  readonly oid: number;
  readonly #identity: readonly string[];
  readonly #seen = new Set<string>();
  #slots = new Int32Array(0);
  /** Rows changed that could not be told, or the table did: the chunk is to be read again. */
  spoiled = false;
  /** The table was emptied: nothing of the chunk is left. */
  emptied = false;

  /** `identity` are the columns that tell rows apart; none for a table whose rows nothing tells apart. */
  constructor(oid: number, identity: readonly string[]) {
    this.oid = oid;
    this.#identity = identity;
  }

  has(identity: string): boolean {
    return this.emptied || this.#seen.has(identity);
  }

  get size(): number {
    return this.#seen.size;
  }

  /** A change as the output plugin sends it; `at` is behind the relation's oid. */
  add(relation: Relation, operation: 'c' | 'u' | 'd', bytes: Uint8Array, start: number, end: number): void {
    if (this.#identity.length === 0) return;
    const { columns } = relation;
    const width = columns.length;
    if (this.#slots.length < 4 * width) this.#slots = new Int32Array(4 * width);
    const slots = this.#slots;
    const places = this.#identity.map((name) => columns.findIndex((column) => column.name === name));
    if (places.includes(-1)) return void (this.spoiled = true);

    let at = start;
    let old = false;
    if (bytes[at] === keyTuple || bytes[at] === oldTuple) {
      const known = bytes[at] === oldTuple || places.every((place) => columns[place]?.identity === true);
      at = readTuple(bytes, at + 1, end, width, slots, 2 * width);
      this.#note(known ? rowIdentity(bytes, slots, 2 * width, places) : undefined);
      old = known;
    }
    if (operation === 'd') return;
    readTuple(bytes, at + 1, end, width, slots, 0);
    for (const place of places) {
      if (!old || slots[2 * place] !== slotAbsent) continue;
      slots[2 * place] = slots[2 * (place + width)] as number;
      slots[2 * place + 1] = slots[2 * (place + width) + 1] as number;
    }
    this.#note(rowIdentity(bytes, slots, 0, places));
  }

  #note(identity: string | undefined): void {
    if (identity === undefined) this.spoiled = true;
    else this.#seen.add(identity);
  }
}
