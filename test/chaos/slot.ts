import pg from 'pg';

/** Whether somebody reads from the slot: what is committed from now on is theirs. */
export async function slotIsActive(url: string, slot: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ active: boolean }>('select active from pg_replication_slots where slot_name = $1', [slot]);
    return rows[0]?.active === true;
  } finally {
    await client.end();
  }
}
