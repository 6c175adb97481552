import pg from 'pg';

const ORDERS = `create table if not exists orders (
  id bigserial primary key,
  customer_id int,
  status text,
  amount numeric(12,2),
  note text,
  created_at timestamptz default now()
)`;

export interface OrdersOptions {
  readonly publication?: string;
  /** Made before the rows, so that each holds all of them, whoever reads it and when. */
  readonly slots?: readonly string[];
}

/** The table `orders` of six columns, a publication of it, and pgoutput slots. */
export async function createOrders(url: string, options: OrdersOptions = {}): Promise<void> {
  const { publication = 'orders_publication', slots = [] } = options;
  await withClient(url, async (client) => {
    await client.query(ORDERS);
    await client.query(`drop publication if exists ${pg.escapeIdentifier(publication)}`);
    await client.query(`create publication ${pg.escapeIdentifier(publication)} for table orders`);
    for (const slot of slots) await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  });
}

/** Inserts that many rows in transactions of a thousand, all committed when it resolves. */
export async function loadOrders(url: string, rows: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`do $$
      declare left_over int := ${Math.trunc(rows)};
      begin
        while left_over > 0 loop
          insert into orders (customer_id, status, amount, note)
            select (random() * 100000)::int, 'new', (random() * 1000)::numeric(12,2), md5(i::text)
            from generate_series(1, least(left_over, 1000)) i;
          commit;
          left_over := left_over - 1000;
        end loop;
      end $$`);
    // What the first reader would else do for those after it: hint bits, and the writing of pages.
    await client.query('vacuum (analyze) orders');
    await client.query('checkpoint');
  });
}

/** The process that serves the slot, if anybody reads from it. */
export async function walSenderPid(url: string, slot: string): Promise<number | undefined> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ active_pid: number | null }>('select active_pid from pg_replication_slots where slot_name = $1', [
      slot,
    ]);
    return rows[0]?.active_pid ?? undefined;
  });
}

/** How far the WAL has been written. */
export async function walEnd(url: string): Promise<string> {
  return withClient(url, async (client) => (await client.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn')).rows[0]!.lsn);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
