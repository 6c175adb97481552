/** Random tables. */
import type { Random } from '../chaos/seed.ts';
import { chance, pick } from './differential-literals.ts';
import type { Kind } from './differential-literals.ts';
import { kinds } from './differential-types.ts';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly type: string;
  readonly required: boolean;
}

export interface Table {
  /** As SQL calls it. */
  readonly name: string;
  /** As table.include.list calls it, and the end of its topic. */
  readonly id: string;
  readonly topic: string;
  readonly columns: Column[];
  readonly key: readonly string[];
  /** Whether PostgreSQL lets rows of a published table be changed: it needs to know them. */
  mayChange: boolean;
  /** Whether an incremental snapshot can read it: as Debezium can, which gets past no infinite days, and no names of blanks. */
  readonly isReadable: boolean;
  /** All in the schema public. */
  readonly partitions: readonly string[];
  readonly ddl: readonly string[];
}

/** What a config allows. */
export interface Scope {
  /** Whether ours bends, too, what Debezium bends. */
  readonly isBent: boolean;
}

const all = Object.keys(kinds);
const unbent = all.filter((name) => kinds[name]?.isBent !== true);
const keyNames = all.filter((name) => kinds[name]?.mayBeKey);

export function randomColumn(random: Random, index: number, from: readonly string[], required = chance(random, 0.25)): Column {
  const name = pick(random, from);
  const kind = kinds[name] as Kind;
  const letter = pick(random, ['c', 'c', 'c', 'C', 'c-', 'c ']);
  return { name: `${letter}${index}_${name}`, kind, type: kind.type(random), required: required && kind.isOptional !== true };
}

export const kindsFor = ({ isBent }: Scope): readonly string[] => (isBent ? all : unbent);
export const quoted = (name: string): string => `"${name}"`;

export function definition(random: Random, { name, kind, type, required }: Column): string {
  return `${quoted(name)} ${type}${randomDefault(random, kind)}${required ? ' not null' : ''}`;
}

function randomDefault(random: Random, kind: Kind): string {
  if (kind.call !== undefined && chance(random, 0.1)) return ` default ${kind.call}`;
  if (kind.mayHaveDefault !== true || chance(random, 0.6)) return '';
  return chance(random, 0.1) ? ' default null' : ` default ${plainDefault(random, kind)}`;
}

/** Of those with quotes or line breaks Debezium makes something else (dbz#2440), which the recordings show; of infinite days anything. */
export function plainDefault(random: Random, kind: Kind): string {
  for (;;) {
    const value = kind.value(random);
    if (value.includes('infinity')) continue;
    if (!value.includes("''") && !value.includes('\n') && !value.includes('\u2028')) return value;
    if (value === "''") return value;
  }
}

export function randomTable(random: Random, number: number, scope: Scope): Table {
  const isOdd = chance(random, 0.15);
  const keying = pick(random, [
    'single',
    'single',
    'serial',
    'composite',
    'composite',
    'unique',
    scope.isBent ? 'partial' : 'unique',
    'none',
  ] as const);
  const isPartitioned = keying === 'none' && !isOdd && chance(random, 0.5);
  const bare = isOdd ? `T ${number}-x` : `t${number}`;
  const name = isOdd ? `odd."${bare}"` : bare;

  const key: Column[] = [];
  const keyColumns = { single: 1, serial: 0, composite: random.between(2, 3), unique: 1, partial: 1, none: 0 }[keying];
  for (let index = 0; index < keyColumns; index++) key.push(randomColumn(random, index, keyNames, true));
  const others = Array.from({ length: random.between(2, 9) }, (_, index) => randomColumn(random, index + 5, kindsFor(scope)));
  // A key may stand anywhere in the table, and its columns in another order than there.
  const columns = [...others];
  for (const column of key) columns.splice(random.between(0, columns.length), 0, column);
  const keyList = key.map((column) => quoted(column.name)).join();

  const lines = columns.map((column) => definition(random, column));
  if (keying === 'serial') lines.unshift('id serial primary key');
  if (keying === 'single' || keying === 'composite') lines.push(`primary key (${keyList})`);
  if (isPartitioned) lines.unshift('id int not null', 'part int not null', 'primary key (id, part)');
  if (scope.isBent && keying === 'serial' && chance(random, 0.3)) lines.push('made int generated always as (id * 2) stored');
  const ddl = [`create table ${name} (${lines.join(', ')})${isPartitioned ? ' partition by list (part)' : ''}`];
  const partitions = isPartitioned ? [`${name}_p0`, `${name}_p1`] : [];
  partitions.forEach((partition, index) => ddl.push(`create table ${partition} partition of ${name} for values in (${index})`));
  if (keying === 'unique') ddl.push(`create unique index t${number}_u on ${name} (${keyList})`);
  if (keying === 'partial')
    ddl.push(`create unique index t${number}_u on ${name} (${keyList}) where ${quoted(others[0]?.name ?? '')} is not null`);

  const hasKey = keying === 'single' || keying === 'serial' || keying === 'composite' || isPartitioned;
  const index = keying === 'unique' ? [`using index t${number}_u`] : [];
  const otherKey = others.find(({ required, kind }) => required && kind.mayBeKey === true);
  if (scope.isBent && hasKey && !isPartitioned && otherKey !== undefined) {
    ddl.push(`create unique index t${number}_o on ${name} (${quoted(otherKey.name)})`);
    index.push(`using index t${number}_o`);
  }
  const usual = hasKey ? ['default', 'default', 'default', 'full'] : ['nothing'];
  const identity = pick(random, [...usual, ...index, 'full', 'full']);
  for (const each of isPartitioned ? [name, ...partitions] : [name]) ddl.push(`alter table ${each} replica identity ${identity}`);
  for (const column of others) {
    if (column.kind.large && !isPartitioned && chance(random, 0.8))
      ddl.push(`alter table ${name} alter ${quoted(column.name)} set storage external`);
  }
  if (chance(random, 0.3)) ddl.push(`comment on table ${name} is 'what ${bare} holds'`);
  if (chance(random, 0.2)) ddl.push(`comment on column ${name}.${quoted((others[0] as Column).name)} is 'what it''s for'`);

  const extra = isPartitioned ? [artificial('id'), part] : [];
  const ids = keying === 'serial' ? ['id'] : isPartitioned ? ['id', 'part'] : key.map((column) => column.name);
  const id = isOdd ? `odd\\.${bare}` : `public\\.${bare}`;
  const topic = isOdd ? `.odd.${bare.replaceAll(' ', '_')}` : `.public.${bare}`;
  return {
    name,
    id,
    topic,
    columns: [...extra, ...columns],
    key: ids,
    mayChange: identity !== 'nothing',
    isReadable: hasKey && !isPartitioned && !isOdd && !key.some(({ name: one }) => /_(date|ts|tstz|time|bytea)$/.test(one)),
    partitions,
    ddl,
  };
}

const artificial = (name: string): Column => ({ name, kind: kinds['int4'] as Kind, type: 'int4', required: true });
const part: Column = { ...artificial('part'), kind: { type: () => 'int4', value: (random) => String(random.between(0, 1)) } };
