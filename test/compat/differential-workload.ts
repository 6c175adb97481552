/** Random changes of rows. */
import type { Random } from '../chaos/seed.ts';
import { chance, pick } from './differential-literals.ts';
import { quoted } from './differential-tables.ts';
import type { Column, Table } from './differential-tables.ts';

function valueOf(random: Random, { kind, type, required }: Column): string {
  if (!required && chance(random, 0.2)) return 'null';
  // Debezium's task dies of a large array that did not come, where one must be.
  const mayBeLarge = kind.large !== undefined && !(required && type.endsWith('[]'));
  if (mayBeLarge && chance(random, 0.25)) return kind.large as string;
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

/** What a transaction may hold beside changes; `undo` is undone before it ends. */
function aside(random: Random, tables: readonly Table[]): string[] {
  const kind = random.between(0, 5);
  if (kind === 0) return ['savepoint undo', change(random, pick(random, tables)), 'rollback to undo'];
  if (kind === 1) return ['savepoint kept', change(random, pick(random, tables)), 'release kept'];
  if (kind === 2) return [`truncate ${pick(random, tables).name}, ${pick(random, tables).name}`];
  if (kind === 3) return [`select pg_logical_emit_message(${chance(random, 0.7)}, 'aside', 'ä${random.between(0, 9)}')`];
  return [`select pg_logical_emit_message(true, '${pick(random, ['', 'b'])}', '\\x00ff'::bytea)`];
}

/** Transactions of one or more statements; each names what it does by itself. */
export function transactions(random: Random, tables: readonly Table[], perTable: number): string[][] {
  const made: string[][] = [];
  const due = tables.flatMap((table) => Array.from({ length: perTable }, () => table));
  while (due.length > 0) {
    const size = chance(random, 0.6) ? 1 : random.between(2, 8);
    const statements = Array.from({ length: Math.min(size, due.length) }, () => change(random, takeOne(random, due)));
    if (chance(random, 0.08)) statements.splice(random.between(0, statements.length), 0, ...aside(random, tables));
    made.push(statements);
  }
  return made;
}

function takeOne<T>(random: Random, items: T[]): T {
  return items.splice(random.between(0, items.length - 1), 1)[0] as T;
}
