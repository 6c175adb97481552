/** Random tables. */
import type { Random } from '../chaos/seed.ts';
import { chance, kinds, pick } from './differential-types.ts';
import type { Kind } from './differential-types.ts';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly type: string;
  readonly required: boolean;
}

export interface Table {
  readonly name: string;
  readonly columns: Column[];
  readonly key: readonly string[];
  /** Whether PostgreSQL lets rows of a published table be changed: it needs to know them. */
  readonly mayChange: boolean;
  readonly partitions: readonly string[];
  readonly ddl: readonly string[];
}

const names = Object.keys(kinds);
const keyNames = names.filter((name) => kinds[name]?.mayBeKey);

export function randomColumn(random: Random, index: number, from: readonly string[] = names, required = chance(random, 0.25)): Column {
  const name = pick(random, from);
  const kind = kinds[name] as Kind;
  const letter = pick(random, ['c', 'c', 'c', 'C', 'c-', 'c ']);
  return { name: `${letter}${index}_${name}`, kind, type: kind.type(random), required };
}

export const quoted = (name: string): string => `"${name}"`;

export function definition(random: Random, { name, kind, type, required }: Column): string {
  const fallback = kind.mayHaveDefault && chance(random, 0.4) ? ` default ${plainDefault(random, kind)}` : '';
  return `${quoted(name)} ${type}${required ? ' not null' : ''}${fallback}`;
}

/** Of those with quotes or line breaks Debezium makes something else (dbz#2440), which the recordings show. */
export function plainDefault(random: Random, kind: Kind): string {
  for (;;) {
    const value = kind.value(random);
    if (!value.includes("''") && !value.includes('\n') && !value.includes('\u2028')) return value;
    if (value === "''") return value;
  }
}

export function randomTable(random: Random, name: string): Table {
  const keying = pick(random, ['single', 'single', 'serial', 'composite', 'composite', 'unique', 'none'] as const);
  const key: Column[] = [];
  const keyColumns = { single: 1, serial: 0, composite: random.between(2, 3), unique: 1, none: 0 }[keying];
  for (let index = 0; index < keyColumns; index++) key.push(randomColumn(random, index, keyNames, true));
  const others = Array.from({ length: random.between(2, 9) }, (_, index) => randomColumn(random, index + 5));
  // A key may stand anywhere in the table, and its columns in another order than there.
  const columns = [...others];
  for (const column of key) columns.splice(random.between(0, columns.length), 0, column);
  const isPartitioned = keying === 'none' && chance(random, 0.5);

  const lines = columns.map((column) => definition(random, column));
  if (keying === 'serial') lines.unshift('id serial primary key');
  if (keying === 'single' || keying === 'composite') lines.push(`primary key (${key.map((column) => quoted(column.name)).join()})`);
  if (isPartitioned) lines.unshift('id int not null', 'part int not null', 'primary key (id, part)');
  const ddl = [`create table ${name} (${lines.join(', ')})${isPartitioned ? ' partition by list (part)' : ''}`];
  const partitions = isPartitioned ? [`${name}_p0`, `${name}_p1`] : [];
  partitions.forEach((partition, index) => ddl.push(`create table ${partition} partition of ${name} for values in (${index})`));
  if (keying === 'unique') ddl.push(`create unique index ${name}_u on ${name} (${key.map((column) => quoted(column.name)).join()})`);

  const hasKey = keying === 'single' || keying === 'serial' || keying === 'composite' || isPartitioned;
  const index = keying === 'unique' && !isPartitioned ? [`using index ${name}_u`] : [];
  const identity = pick(random, [
    ...(hasKey ? ['default', 'default', 'default'] : []),
    ...index,
    'full',
    'full',
    hasKey ? 'full' : 'nothing',
  ]);
  for (const each of isPartitioned ? [name, ...partitions] : [name]) ddl.push(`alter table ${each} replica identity ${identity}`);
  for (const column of others) {
    if (column.kind.large && !isPartitioned && chance(random, 0.8))
      ddl.push(`alter table ${name} alter ${quoted(column.name)} set storage external`);
  }
  if (chance(random, 0.3)) ddl.push(`comment on table ${name} is 'what ${name} holds'`);

  const extra = isPartitioned ? [artificial('id'), part] : [];
  const ids = keying === 'serial' ? ['id'] : isPartitioned ? ['id', 'part'] : key.map((column) => column.name);
  return { name, columns: [...extra, ...columns], key: ids, mayChange: identity !== 'nothing', partitions, ddl };
}

const artificial = (name: string): Column => ({ name, kind: kinds['int4'] as Kind, type: 'int4', required: true });
const part: Column = { ...artificial('part'), kind: { type: () => 'int4', value: (random) => String(random.between(0, 1)) } };
