/** The tables whose rows a stream brings, as it described them. */
import type { TableLayout } from '../records/envelope.ts';
import type { Relation } from '../pgoutput/messages.ts';
import { ProtocolError } from '../pgoutput/reader.ts';

export class StreamTables {
  readonly #layouts = new Map<number, TableLayout | null>();
  readonly #relations = new Map<number, Relation>();

  described(relation: Relation): void {
    this.#relations.set(relation.oid, relation);
  }

  relation(oid: number): Relation | undefined {
    return this.#relations.get(oid);
  }

  setLayout(oid: number, layout: TableLayout | null): void {
    this.#layouts.set(oid, layout);
  }

  /** Null for a table that is not captured. Throws a ProtocolError for one that was not described. */
  layout(oid: number): TableLayout | null {
    const layout = this.#layouts.get(oid);
    if (layout === undefined) throw new ProtocolError(`a row of relation ${oid}, which was not described before`);
    return layout;
  }
}
