/** From PostgreSQL's description of a table to the layout of its records; kept, so that schemas keep their identity. */
import type { Logger } from '@millrace/runtime/api';

import type { CatalogColumn, CatalogTable } from './catalog.ts';
import { compileTable } from './envelope.ts';
import type { ShownColumn, TableLayout } from './envelope.ts';
import { isWantedColumn, ruledKey } from './filters.ts';
import type { Relation, RelationColumn } from './pgoutput/messages.ts';
import type { Settings } from './settings.ts';
import { checkFields, rewritten, withSourceType } from './shown-columns.ts';
import type { SourceNames } from './source-block.ts';
import { sourceType } from './source-type.ts';
import type { Phase, SourceType } from './source-type.ts';
import { defaultValue } from './values/defaults.ts';
import { resolveType } from './values/resolve.ts';
import { columnSchema, typeFor } from './values/value-type.ts';

export interface LayoutCache {
  /**
   * The layout of a relation whose message came, `catalog` having been read since. The message is the truth of
   * what its rows hold; the catalog, which may have gone on since, only adds to it. Schemas that did not change
   * are the same objects as before.
   */
  layout(relation: Relation, catalog: CatalogTable): TableLayout;
}

export function createLayoutCache(settings: Settings, names: SourceNames, log: Logger, phase: Phase = 'stream'): LayoutCache {
  const known = new Map<string, { readonly print: string; readonly layout: TableLayout }>();
  return {
    layout(relation, catalog) {
      const described = relation.columns.map((column, slot) => describe(relation, column, slot, catalog));
      const key = keyNames(relation, catalog, settings);
      const types = [...new Set(described.map(({ column }) => column.type))].map((oid) => catalog.types(oid));
      const print = JSON.stringify([
        relation,
        described,
        key,
        types,
        types.map((type) => [catalog.types(type?.item ?? 0), catalog.types(type?.base ?? 0)]),
      ]);
      const name = `${relation.schema}.${relation.table}`;
      const before = known.get(name);
      if (before?.print === print) return before.layout;
      const layout = build(relation, described, key, catalog);
      known.set(name, { print, layout });
      return layout;
    },
  };

  function build(relation: Relation, described: readonly Described[], key: readonly string[], catalog: CatalogTable): TableLayout {
    const { schema, table } = relation;
    const name = `${schema}.${table}`;
    // Columns that only a rule puts into the key may be null there.
    const ruled = ruledKey(settings.keyRules, schema, table, key).length > 0;
    const inKey = new Map<string, ShownColumn>();
    const plains = new Map<string, ShownColumn>();
    const columns = described.flatMap(({ column, slot, notNull, defaultText }): ShownColumn[] => {
      const isKey = key.includes(column.name);
      const isWanted = isWantedColumn(settings.filters, schema, table, column.name);
      if (!isKey && !isWanted) return [];
      const type = resolveType(column.type, column.typmod, catalog.types, settings.values);
      if (type === undefined) {
        log.warn(
          `column ${name}.${column.name} is left out: the connector has no form for type "${catalog.types(column.type)?.name ?? column.type}"`,
        );
        return [];
      }
      const shown = columnSchema(type, !(notNull || (isKey && !ruled)), defaultValue(type, defaultText));
      const plain: ShownColumn = {
        name: column.name,
        field: settings.adjustFieldName(column.name),
        slot,
        type: typeFor(type, shown),
        schema: shown,
        identity: column.identity,
      };
      plains.set(column.name, plain);
      if (isKey) inKey.set(column.name, plain);
      if (!isWanted) return [];
      const source = sourceType(column.type, column.typmod, catalog.types, phase, defaultText);
      return [source === undefined ? plain : inValue(plain, source, relation, isKey)];
    });
    checkFields(columns, name);
    const topic = settings.topics.dataTopic(schema, table);
    const named = (kind: string): string => settings.adjustSchemaName(`${topic}.${kind}`);
    return compileTable(
      {
        topic,
        schemaNames: { key: named('Key'), value: named('Value'), envelope: named('Envelope') },
        schema,
        table,
        width: relation.columns.length,
        columns,
        primaryKey: (catalog.primaryKey.length > 0 ? catalog.primaryKey : catalog.uniqueKey).flatMap((column) => plains.get(column) ?? []),
        key: key.flatMap((column) => inKey.get(column) ?? []),
        keyField: settings.topics.keyField(schema, table),
      },
      names,
      { transactions: settings.transactionMetadata, xmin: settings.xminIntervalMs > 0 },
    );
  }

  /** A column as it appears in values. */
  function inValue(plain: ShownColumn, source: SourceType, { schema, table }: Relation, isKey: boolean): ShownColumn {
    const { columnRules } = settings;
    const rewrite = columnRules.rewriteOf(schema, table, plain.name);
    const name = `${schema}.${table}.${plain.name}`;
    if (rewrite !== undefined && isKey) {
      log.warn(
        `column ${name} is to be masked or cut, but is part of the key, where it stands as it is, since masking it would merge rows. Choose another key with message.key.columns, if it is secret.`,
      );
    }
    const column = rewrite === undefined ? plain : rewritten(plain, rewrite, source, name, log);
    return columnRules.tellsType(schema, table, plain.name, source.name) ? withSourceType(column, source) : column;
  }
}

interface Described {
  readonly column: RelationColumn;
  readonly slot: number;
  readonly notNull: boolean;
  readonly defaultText: string | null;
}

function describe(relation: Relation, column: RelationColumn, slot: number, catalog: CatalogTable): Described {
  const found = catalogColumn(relation, column, slot, catalog);
  return { column, slot, notNull: found?.notNull ?? false, defaultText: found?.defaultText ?? null };
}

/** By name; a column that was renamed since, by its place. */
function catalogColumn(relation: Relation, column: RelationColumn, slot: number, catalog: CatalogTable): CatalogColumn | undefined {
  const named = catalog.columns.find(({ name }) => name === column.name);
  if (named !== undefined) return named;
  const whole = catalog.columns.length === relation.columns.length;
  const sent = whole ? catalog.columns : catalog.columns.filter(({ generated }) => !generated);
  const placed = sent.length === relation.columns.length ? sent[slot] : undefined;
  return placed?.type === column.type ? placed : undefined;
}

/**
 * The key's columns. Under the default identity the message itself marks the primary key as it was when the row
 * was written; otherwise, and for the order of the columns, the catalog is asked.
 */
function keyNames(relation: Relation, catalog: CatalogTable, settings: Settings): readonly string[] {
  const names = relation.columns.map(({ name }) => name);
  const ruled = ruledKey(settings.keyRules, relation.schema, relation.table, names);
  if (ruled.length > 0) return ruled;

  const marked = relation.columns.filter(({ identity }) => identity).map(({ name }) => name);
  const sameAsMarked = (key: readonly string[]): boolean => key.length === marked.length && key.every((name) => marked.includes(name));
  if (relation.replicaIdentity === 'd' && marked.length > 0) return sameAsMarked(catalog.primaryKey) ? catalog.primaryKey : marked;
  const present = (key: readonly string[]): boolean => key.length > 0 && key.every((name) => names.includes(name));
  if (present(catalog.primaryKey)) return catalog.primaryKey;
  if (present(catalog.uniqueKey)) return catalog.uniqueKey;
  return relation.replicaIdentity === 'i' ? marked : [];
}

/** The relation that a snapshot's rows have: all columns, generated ones too, whether or not a publication sends them. */
export function catalogRelation(oid: number, schema: string, table: string, catalog: CatalogTable): Relation {
  const columns = catalog.columns.map(({ name, type, typmod }) => ({ name, type, typmod, identity: catalog.primaryKey.includes(name) }));
  return { oid, schema, table, replicaIdentity: 'd', columns };
}
