/** Two tables for kills, one of them without a key, and a ledger of all that was committed to them. */
import pg from 'pg';

export const keyed = 'items';
export const keyless = 'loose';
export type TableName = typeof keyed | typeof keyless;

/** Keys from here on belong to nobody: their rows stay as they are. */
export const firstStillKey = 1_000_000;

// The ledger is written in the transaction of the change; of what a transaction or a part of it takes back, nothing is left.
// Few rows on a page, so that snapshots share out tables of few rows.
const TABLES = `
create table items (id int primary key, version int not null, note text) with (fillfactor = 10);
create table loose (id int not null, version int not null, note text) with (fillfactor = 10);
create index on loose (id);
alter table items replica identity full;
alter table loose replica identity full;
create table signals (id varchar(64) primary key, type varchar(32) not null, data text);
create table ledger (seq bigserial primary key, xid bigint not null default txid_current(),
  name text not null, id int not null, version int not null, op text not null);
create function note_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    insert into ledger (name, id, version, op) values (tg_table_name, old.id, old.version + 1, 'd');
  elsif tg_op = 'UPDATE' and old.id <> new.id then
    insert into ledger (name, id, version, op) values (tg_table_name, old.id, old.version + 1, 'd');
    insert into ledger (name, id, version, op) values (tg_table_name, new.id, new.version, 'c');
  else
    insert into ledger (name, id, version, op) values (tg_table_name, new.id, new.version, case tg_op when 'INSERT' then 'c' else 'u' end);
  end if;
  return null;
end $$;
create trigger note_change after insert or update or delete on items for each row execute function note_change();
create trigger note_change after insert or update or delete on loose for each row execute function note_change();
create publication ledger_order for table ledger;`;

const FILL = `insert into %t select id, 1, md5(id::text) from generate_series($1::int, $2::int) id`;

export interface Filling {
  readonly table: TableName;
  readonly from: number;
  readonly to: number;
}

export async function createMixedTables(url: string, fillings: readonly Filling[]): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(TABLES);
    for (const { table, from, to } of fillings) await client.query(FILL.replace('%t', table), [from, to]);
    // From here on it tells in which order transactions were committed.
    await client.query(`select pg_create_logical_replication_slot(current_database() || '_order', 'pgoutput')`);
  });
}

export async function signalSnapshot(url: string, id: string): Promise<void> {
  const data = JSON.stringify({ 'data-collections': [`public.${keyed}`] });
  await withClient(url, (client) => client.query(`insert into signals values ($1, 'execute-snapshot', $2)`, [id, data]));
}

/** Runs queries on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
