/** Random changes of tables. */
import type { Random } from '../chaos/seed.ts';
import { chance, pick } from './differential-literals.ts';
import { definition, kindsFor, plainDefault, quoted, randomColumn } from './differential-tables.ts';
import type { Column, Scope, Table } from './differential-tables.ts';

export interface Alteration {
  /** PostgreSQL may refuse it, for the rows that are there. */
  readonly statement: string;
  /** Makes `table` know its columns as they are then. */
  readonly done: () => void;
}

export function alteration(random: Random, table: Table, serial: number, scope: Scope): Alteration {
  const free = table.columns.filter(({ name }) => !table.key.includes(name));
  const chosen = free.length > 1 ? pick(random, free) : undefined;
  const alter = `alter table ${table.name}`;
  if (chosen === undefined || chance(random, 0.25)) {
    const column = randomColumn(random, serial, kindsFor(scope), false);
    return { statement: `${alter} add column ${definition(random, column)}`, done: () => void table.columns.push(column) };
  }
  const name = quoted(chosen.name);
  const becomes = (...columns: Column[]): (() => void) => {
    return () => void table.columns.splice(table.columns.indexOf(chosen), 1, ...columns);
  };
  const same = (): void => {};
  const kind = random.between(0, 6);
  if (kind === 0) return { statement: `${alter} drop column ${name}`, done: becomes() };
  if (kind === 1) {
    const renamed = { ...chosen, name: chosen.name.replace(/\d+_/, `${serial}_`) };
    return { statement: `${alter} rename column ${name} to ${quoted(renamed.name)}`, done: becomes(renamed) };
  }
  if (kind === 2) {
    const required = !chosen.required && chosen.kind.isOptional !== true;
    return { statement: `${alter} alter ${name} ${required ? 'set' : 'drop'} not null`, done: becomes({ ...chosen, required }) };
  }
  if (kind === 3 && chosen.kind.later !== undefined && chosen.type !== chosen.kind.later) {
    const { later } = chosen.kind;
    // What it holds stays; what comes is as it was.
    const statement = `${alter} alter ${name} drop default, alter ${name} type ${later} using ${name}::${later}`;
    return { statement, done: becomes({ ...chosen, type: later, kind: { ...chosen.kind, mayHaveDefault: false, later } }) };
  }
  if (kind === 4 && table.partitions.length === 0)
    return { statement: `${alter} replica identity full`, done: () => void (table.mayChange = true) };
  if (kind === 5) return { statement: `comment on column ${table.name}.${name} is 'what it''s for now'`, done: same };
  if (chosen.kind.mayHaveDefault === true)
    return { statement: `${alter} alter ${name} set default ${plainDefault(random, chosen.kind)}`, done: same };
  return { statement: `${alter} alter ${name} drop default`, done: same };
}
