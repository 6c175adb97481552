/** The values of a key, each as PostgreSQL's text and the Java class that Debezium holds it in. */
export type JavaType =
  | 'integer'
  | 'short'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'string'
  | 'uuid'
  | 'decimal'
  | 'bytes'
  | 'date'
  | 'timestamp'
  | 'pgobject';

export interface KeyValue {
  readonly type: JavaType;
  /** As PostgreSQL writes it (UTC, ISO dates, hex bytea): good as a literal of the column's type. */
  readonly text: string;
  /** Of a `pgobject`: PostgreSQL's name of the type. */
  readonly pgType?: string;
}

/** One for each column of the chunk key; null for SQL's null. */
export type Key = readonly (KeyValue | null)[];

// What pgjdbc's getObject gives, and Debezium's PostgresConnection.getColumnValue.
const types: Readonly<Record<number, JavaType>> = {
  16: 'boolean',
  17: 'bytes',
  18: 'string',
  19: 'string',
  20: 'long',
  21: 'integer',
  23: 'integer',
  25: 'string',
  26: 'long',
  700: 'float',
  701: 'double',
  1042: 'string',
  1043: 'string',
  1082: 'date',
  1083: 'string',
  1114: 'timestamp',
  1184: 'timestamp',
  1266: 'string',
  1560: 'string',
  1700: 'decimal',
  2950: 'uuid',
};

export interface KeyColumnType {
  /** Of a domain: its base. */
  readonly oid: number;
  readonly name: string;
  readonly isEnum: boolean;
}

export function keyValue({ oid, name, isEnum }: KeyColumnType, text: string | null): KeyValue | null {
  if (text === null) return null;
  const type = types[oid] ?? (isEnum ? 'string' : 'pgobject');
  return type === 'pgobject' ? { type, text, pgType: name } : { type, text };
}

/** `7,2024-02-29`: how Debezium's notifications show a key. */
export const keyText = (key: Key): string => key.map((value) => value?.text ?? '<null>').join(',');
