/** The queries of a chunk: the rows after one key and up to another, in order. Source: Debezium's AbstractChunkQueryBuilder. */
import pg from 'pg';

import type { Key, KeyColumnType } from './java-values.ts';

export interface KeyColumn {
  readonly name: string;
  readonly notNull: boolean;
  readonly type: KeyColumnType;
}

export interface ChunkTable {
  readonly schema: string;
  readonly table: string;
  readonly partitioned: boolean;
  readonly keyColumns: readonly KeyColumn[];
  /** Whether no two rows have the same key. */
  readonly unique: boolean;
  /** In brackets. */
  readonly condition: string | null;
}

const quote = (name: string): string => pg.escapeIdentifier(name);
// The type of a literal is that of the column it is compared with.
const literal = (text: string): string => pg.escapeLiteral(text);

/** `only` as in snapshots: rows of tables that inherit are read with those tables. */
export const fromClause = ({ schema, table, partitioned }: Pick<ChunkTable, 'schema' | 'table' | 'partitioned'>): string =>
  `${partitioned ? '' : 'only '}${quote(schema)}.${quote(table)}`;

/** The largest key, as text; no row for an empty table. */
export function maximumKeyQuery(chunk: ChunkTable): string {
  const columns = chunk.keyColumns.map(({ name }) => quote(name));
  const where = chunk.condition === null ? '' : ` where ${chunk.condition}`;
  return `select ${columns.map((column, i) => `${column}::text as k${i}`).join(', ')} from ${fromClause(chunk)}${where} order by ${columns.map((column) => `${column} desc`).join(', ')} limit 1`;
}

/** The rows after `last` (or all), up to `maximum`; at most `limit`, but all that share the last one's key. */
export function chunkQuery(chunk: ChunkTable, select: string, last: Key | null, maximum: Key, limit: number): string {
  const { keyColumns, condition } = chunk;
  const conditions = [
    ...(last === null ? [] : [after(keyColumns, last)]),
    upTo(keyColumns, maximum),
    ...(condition === null ? [] : [condition]),
  ];
  const order = keyColumns.map(({ name }) => quote(name)).join(', ');
  const rows = chunk.unique ? `limit ${limit}` : `fetch first ${limit} rows with ties`;
  return `select ${select} from ${fromClause(chunk)} where ${conditions.join(' and ')} order by ${order} ${rows}`;
}

/** Where no column can be null an index answers it in one go. */
function compared(columns: readonly KeyColumn[], operator: '>' | '<=', key: Key): string | undefined {
  if (!columns.every(({ notNull }, i) => notNull && key[i] !== null && key[i] !== undefined)) return undefined;
  const names = columns.map(({ name }) => quote(name)).join(', ');
  const values = key.map((value) => literal(value?.text ?? '')).join(', ');
  return columns.length === 1 ? `(${names} ${operator} ${values})` : `((${names}) ${operator} (${values}))`;
}

const upTo = (columns: readonly KeyColumn[], key: Key): string => compared(columns, '<=', key) ?? `not ${after(columns, key)}`;

/** Beyond a key, in the order of the columns; nulls are last, as PostgreSQL sorts them. */
export function after(columns: readonly KeyColumn[], key: Key): string {
  const simple = compared(columns, '>', key);
  if (simple !== undefined) return simple;
  const ways = columns.map((_, i) => {
    const equal = columns.slice(0, i).map(({ name }, j) => {
      const value = key[j] ?? null;
      return value === null ? `${quote(name)} is null` : `${quote(name)} = ${literal(value.text)}`;
    });
    const { name, notNull } = columns[i] as KeyColumn;
    const value = key[i] ?? null;
    const column = quote(name);
    const greater =
      value === null
        ? 'false'
        : notNull
          ? `${column} > ${literal(value.text)}`
          : `(${column} > ${literal(value.text)} or ${column} is null)`;
    return `(${[...equal, greater].join(' and ')})`;
  });
  return `(${ways.join(' or ')})`;
}
