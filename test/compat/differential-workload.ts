/** Random changes of tables: rows, and what they consist of. */
import type { Random } from '../chaos/seed.ts';
import { definition, plainDefault, quoted, randomColumn } from './differential-tables.ts';
import type { Column, Table } from './differential-tables.ts';
import { chance, pick } from './differential-types.ts';

function valueOf(random: Random, { kind, type, required }: Column): string {
  if (!required && chance(random, 0.2)) return 'null';
  // Debezium's task dies of a large array that did not come, where one must be.
  const mayBeLarge = kind.large !== undefined && !(required && type.endsWith('[]'));
  if (mayBeLarge && chance(random, 0.25)) return kind.large;
  return kind.value(random);
}

export function insert(random: Random, table: Table): string {
  const columns = table.columns.filter((column) => column.required || chance(random, 0.85));
  if (columns.length === 0) return `insert into ${table.name} default values`;
  const rows = Array.from({ length: random.between(1, 3) }, () => `(${columns.map((column) => valueOf(random, column)).join()})`);
  return `insert into ${table.name} (${columns.map(({ name }) => quoted(name)).join()}) values ${rows.join()} on conflict do nothing`;
}

const someRow = (random: Random, { name }: Table): string =>
  `where (tableoid, ctid) in (select tableoid, ctid from ${name} order by tableoid, ctid offset ${random.between(0, 12)} limit ${random.between(1, 2)})`;

function update(random: Random, table: Table): string {
  const mayHit = table.columns.filter(({ name }) => !table.key.includes(name) || chance(random, 0.15));
  const chosen = mayHit.filter(() => chance(random, 0.3));
  if (chosen.length === 0) chosen.push(pick(random, mayHit.length > 0 ? mayHit : table.columns));
  const sets = chosen.map((column) => `${quoted(column.name)} = ${chance(random, 0.2) ? quoted(column.name) : valueOf(random, column)}`);
  return `update ${table.name} set ${sets.join()} ${someRow(random, table)}`;
}

function change(random: Random, table: Table): string {
  const kind = random.between(0, 99);
  if (!table.mayChange) return kind < 97 ? insert(random, table) : `truncate ${table.name}`;
  if (kind < 35) return insert(random, table);
  if (kind < 78) return update(random, table);
  if (kind < 97) return `delete from ${table.name} ${someRow(random, table)}`;
  return `truncate ${table.name}`;
}

/** Transactions of one or more statements; each names what it does by itself. */
export function transactions(random: Random, tables: readonly Table[], perTable: number): string[][] {
  const made: string[][] = [];
  const due = tables.flatMap((table) => Array.from({ length: perTable }, () => table));
  while (due.length > 0) {
    const size = chance(random, 0.6) ? 1 : random.between(2, 8);
    made.push(Array.from({ length: Math.min(size, due.length) }, () => change(random, takeOne(random, due))));
  }
  return made;
}

function takeOne<T>(random: Random, items: T[]): T {
  return items.splice(random.between(0, items.length - 1), 1)[0] as T;
}

/** A change of a table's columns, by which `table` comes to know them as they are then. */
export function alteration(random: Random, table: Table, serial: number): string[] {
  const free = table.columns.filter(({ name }) => !table.key.includes(name));
  const chosen = free.length > 1 ? pick(random, free) : undefined;
  const alter = `alter table ${table.name}`;
  const kind = random.between(0, 5);
  if (kind <= 1 || chosen === undefined) {
    const column = randomColumn(random, serial, undefined, false);
    table.columns.push(column);
    return [`${alter} add column ${definition(random, column)}`];
  }
  const index = table.columns.indexOf(chosen);
  if (kind === 2) {
    table.columns.splice(index, 1);
    return [`${alter} drop column ${quoted(chosen.name)}`];
  }
  if (kind === 3) {
    const renamed = { ...chosen, name: chosen.name.replace(/\d+_/, `${serial}_`) };
    table.columns[index] = renamed;
    return [`${alter} rename column ${quoted(chosen.name)} to ${quoted(renamed.name)}`];
  }
  if (kind === 4 && chosen.required) {
    table.columns[index] = { ...chosen, required: false };
    return [`${alter} alter ${quoted(chosen.name)} drop not null`];
  }
  if (chosen.kind.mayHaveDefault) return [`${alter} alter ${quoted(chosen.name)} set default ${plainDefault(random, chosen.kind)}`];
  return [`${alter} alter ${quoted(chosen.name)} drop default`];
}
