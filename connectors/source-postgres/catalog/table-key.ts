/** Which columns are a table's key, as it was when its rows were written. */
import type { CatalogColumn, CatalogTable } from './catalog.ts';
import { ruledKey } from '../config/filters.ts';
import type { Relation, RelationColumn } from '../pgoutput/messages.ts';
import type { PublishedPart } from './published-part.ts';
import type { Settings } from '../config/settings.ts';

/**
 * The catalog's column for each of the relation's: by name, and between those by place, since a column may have
 * been renamed after the rows were written. Undefined for those that were dropped since.
 */
export function catalogColumns(relation: Relation, catalog: CatalogTable): (CatalogColumn | undefined)[] {
  const sent = relation.columns.some(({ name }) => catalog.columns.some((column) => column.generated && column.name === name));
  const candidates = sent ? catalog.columns : catalog.columns.filter(({ generated }) => !generated);
  const byName = new Map(candidates.map((column, place) => [column.name, place]));
  const places = relation.columns.map(({ name }) => byName.get(name));
  for (let from = 0; from < places.length;) {
    if (places[from] !== undefined) {
      from++;
      continue;
    }
    let to = from;
    while (to < places.length && places[to] === undefined) to++;
    const first = (places[from - 1] ?? -1) + 1;
    const last = places[to] ?? candidates.length;
    // Columns that came since are at the end; before another that is known, all must be accounted for.
    const fits = to === places.length ? last - first >= to - from : last - first === to - from;
    for (let at = from; fits && at < to; at++) {
      const place = first + at - from;
      if (candidates[place]?.type === relation.columns[at]?.type && !names(relation).includes(candidates[place]?.name ?? ''))
        places[at] = place;
    }
    from = to;
  }
  return places.map((place) => (place === undefined ? undefined : candidates[place]));
}

const names = ({ columns }: Pick<Relation, 'columns'>): string[] => columns.map(({ name }) => name);

/**
 * The names of the key's columns, in order. The relation's message marks the replica identity as it was when the row
 * was written; the catalog, as it is now, tells the order, and the primary key where the identity is not it.
 *
 * Under REPLICA IDENTITY USING INDEX the key is that index's columns: of an old row PostgreSQL sends no others, so
 * that no other key could be the same in inserts, updates and deletes.
 */
export function keyNames(
  relation: Relation,
  found: readonly (CatalogColumn | undefined)[],
  catalog: CatalogTable,
  settings: Settings,
  before: readonly string[],
): readonly string[] {
  const present = names(relation);
  const ruled = ruledKey(settings.keyRules, relation.schema, relation.table, present);
  if (ruled.length > 0) return ruled;

  /** The catalog's names as the relation has them; empty when it lacks one. */
  const asSent = (key: readonly string[]): string[] => {
    const sent = key.flatMap((name) => relation.columns[found.findIndex((column) => column?.name === name)]?.name ?? []);
    return sent.length === key.length ? sent : [];
  };
  const marked = relation.columns.filter(({ identity }) => identity).map(({ name }) => name);
  const inOrder = (key: readonly string[]): readonly string[] =>
    key.length === marked.length && key.every((name) => marked.includes(name)) ? key : marked;

  const { replicaIdentity } = relation;
  if (replicaIdentity === 'd' && marked.length > 0) return inOrder(asSent(catalog.primaryKey));
  if (replicaIdentity === 'i' && marked.length > 0 && !settings.values.compatible) return inOrder(asSent(catalog.identityKey));
  // Under the default identity a primary key would have been marked.
  const primary = replicaIdentity === 'd' ? [] : asSent(catalog.primaryKey);
  if (primary.length > 0) return primary;
  const unique = asSent(settings.values.compatible ? catalog.looseKey : catalog.uniqueKey);
  if (unique.length > 0) return unique;
  if (replicaIdentity === 'i') return marked;
  // The catalog has gone on, or the table is gone: the key that it had.
  return before.every((name) => present.includes(name)) && replicaIdentity !== 'd' ? before : [];
}

/** Which of the generated columns are read. */
export type GeneratedColumns = 'all' | 'stored' | 'none';

/**
 * The relation that a snapshot's rows have. Generated columns are in it as in the stream: `none` of them, the
 * `stored` ones, or, without a stream to compare with, `all`. A publication's column list says so by itself.
 */
export function catalogRelation(
  oid: number,
  schema: string,
  table: string,
  catalog: CatalogTable,
  generated: GeneratedColumns = 'all',
  published?: PublishedPart,
): Relation {
  const { replicaIdentity } = catalog;
  const identities: Readonly<Record<string, readonly string[]>> = { d: catalog.primaryKey, i: catalog.identityKey, n: [] };
  const identity = identities[replicaIdentity];
  const listed = published?.columns;
  const columns: RelationColumn[] = catalog.columns
    .filter(
      (column) => listed?.has(column.name) ?? (!column.generated || generated === 'all' || (generated === 'stored' && !column.virtual)),
    )
    .map(({ name, type, typmod }) => ({ name, type, typmod, identity: identity === undefined || identity.includes(name) }));
  return { oid, schema, table, replicaIdentity, columns };
}
