/** From PostgreSQL's description of a table to the layout of its records; kept, so that schemas keep their identity. */
import type { Logger } from '@millrace/runtime/api';

import type { CatalogColumn, CatalogTable } from './catalog.ts';
import { compileTable } from '../records/envelope.ts';
import type { ShownColumn, TableLayout } from '../records/envelope.ts';
import { isWantedColumn, ruledKey } from '../config/filters.ts';
import { maskedKeyWarning } from './masked-keys.ts';
import type { Relation, RelationColumn } from '../pgoutput/messages.ts';
import type { Settings } from '../config/settings.ts';
import { checkFields, rewritten, withSourceType } from '../records/shown-columns.ts';
import type { SourceNames } from '../records/source-block.ts';
import { sourceType } from '../values/source-type.ts';
import type { SourceType } from '../values/source-type.ts';
import { catalogColumns, keyNames } from './table-key.ts';
import { mangledName } from '../values/bug-compatible.ts';
import { defaultValue } from '../values/defaults.ts';
import { resolveType } from '../values/resolve.ts';
import type { TypeInfo, TypeLookup } from '../values/resolve.ts';
import { columnSchema, typeFor } from '../values/value-type.ts';
import type { Phase, UnlistedLabel } from '../values/value-type.ts';

export interface LayoutCache {
  /**
   * The layout of a relation whose message came, `catalog` having been read since. The message is the truth of
   * what its rows hold; the catalog, which may have gone on since, only adds to it. Schemas that did not change
   * are the same objects as before. `unlisted` is a label of an enum that came, whether or not the catalog still
   * has it.
   */
  layout(relation: Relation, catalog: CatalogTable, unlisted?: UnlistedLabel): TableLayout;
}

export function createLayoutCache(settings: Settings, names: SourceNames, log: Logger, phase: Phase = 'stream'): LayoutCache {
  const known = new Map<string, { readonly print: string; readonly layout: TableLayout }>();
  const keys = new Map<number, readonly string[]>();
  const labels = createLabels(settings.values.compatible);
  return {
    layout(sent, found, unlisted) {
      const catalog = { ...found, types: labels.lookup(found.types, unlisted) };
      const relation = settings.values.compatible && phase === 'stream' ? mangled(sent) : sent;
      const ofCatalog = catalogColumns(relation, catalog);
      const described = relation.columns.map((column, slot) => describe(column, slot, ofCatalog[slot]));
      const key = keyNames(relation, ofCatalog, catalog, settings, keys.get(relation.oid) ?? []);
      keys.set(relation.oid, key);
      const types = typesOf(
        described.map(({ column }) => column.type),
        catalog.types,
      );
      const print = JSON.stringify([relation, described, key, types]);
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
    const lost = key.filter((one) => relation.columns.some((column) => column.name === one && !column.identity));
    if (lost.length > 0 && relation.columns.some(({ identity }) => identity) && !settings.values.compatible)
      log.warn(
        `table ${name}: ${lost.join(', ')} of the key is not in the replica identity, so that PostgreSQL does not send it with deletes: their keys will lack it. ALTER TABLE … REPLICA IDENTITY FULL, or USING INDEX an index on the key, helps.`,
      );
    // Columns that only a rule puts into the key may be null there.
    const ruled = ruledKey(settings.keyRules, schema, table, key).length > 0;
    const inKey = new Map<string, ShownColumn>();
    const plains = new Map<string, ShownColumn>();
    const columns = described.flatMap(({ column, slot, notNull, dims, defaultText }): ShownColumn[] => {
      const isKey = key.includes(column.name);
      const isWanted = isWantedColumn(settings.filters, schema, table, column.name);
      if (!isKey && !isWanted) return [];
      const type = resolveType(column.type, { typmod: column.typmod, dims, phase }, catalog.types, settings.values);
      if (type === undefined) {
        log.warn(
          `column ${name}.${column.name} is left out: the connector has no form for type "${catalog.types(column.type)?.name ?? column.type}"`,
        );
        return [];
      }
      const omitted = settings.omittedAsNull && !column.identity;
      const byDefault = omitted ? undefined : defaultValue(type, defaultText, settings.values);
      const shown = columnSchema(type, omitted || !(notNull || (isKey && !ruled)), byDefault);
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
      const source = sourceType(column.type, column.typmod, catalog.types, phase, defaultText, settings.values.compatible);
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
        listed: [...columns, ...inKey.values()].filter(({ type }) => type.unlisted !== undefined),
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
      log.warn(maskedKeyWarning(name));
    }
    const column = rewrite === undefined ? plain : rewritten(plain, rewrite, source, name, log);
    return columnRules.tellsType(schema, table, plain.name, source.name) ? withSourceType(column, source) : column;
  }
}

/** The types, and those that they are made of. */
function typesOf(oids: readonly number[], lookup: TypeLookup): TypeInfo[] {
  const found = new Map<number, TypeInfo>();
  const add = (oid: number): void => {
    const type = found.has(oid) ? undefined : lookup(oid);
    if (type === undefined) return;
    found.set(oid, type);
    add(type.item);
    add(type.base);
  };
  oids.forEach(add);
  return [...found.values()];
}

/** Names beyond ASCII as Debezium reads them from the stream; a key column of such a name is not found by it. */
const mangled = (relation: Relation): Relation => ({
  ...relation,
  columns: relation.columns.map((column) => {
    const name = mangledName(column.name);
    return { ...column, name, identity: column.identity && name === column.name };
  }),
});

/**
 * The labels of enums: those of the catalog, and whatever else came. Debezium keeps to those that it read first.
 */
function createLabels(compatible: boolean): { lookup(types: TypeLookup, unlisted: UnlistedLabel | undefined): TypeLookup } {
  const first = new Map<number, TypeInfo>();
  const seen = new Map<number, Set<string>>();
  return {
    lookup: (types, unlisted) => {
      if (unlisted !== undefined) seen.set(unlisted.type, new Set(seen.get(unlisted.type)).add(unlisted.label));
      return (oid) => {
        const type = types(oid);
        if (type?.kind !== 'e') return type;
        if (compatible) return first.get(oid) ?? (first.set(oid, type), type);
        const others = [...(seen.get(oid) ?? [])].filter((label) => !type.labels.includes(label));
        return others.length === 0 ? type : { ...type, labels: [...type.labels, ...others] };
      };
    },
  };
}

interface Described {
  readonly column: RelationColumn;
  readonly slot: number;
  readonly notNull: boolean;
  readonly dims: number;
  readonly defaultText: string | null;
}

const describe = (column: RelationColumn, slot: number, found: CatalogColumn | undefined): Described => ({
  column,
  slot,
  notNull: found?.notNull ?? false,
  dims: found?.dims ?? 0,
  defaultText: found?.defaultText ?? null,
});
