/** The oldest transaction whose catalog rows the slot keeps, for the source block (xmin.fetch.interval.ms). */
import type { Logger } from '@millrace/runtime/api';

import { explain } from '../connection/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { SqlLink } from '../connection/sql-link.ts';

export interface SlotXmin extends Disposable {
  /** As it was last looked up; null before, and where the slot has none. */
  value(): number | null;
}

/**
 * Looks it up now and then every so often. Undefined when nobody wants it. That it cannot be looked up is logged, and
 * stops nothing. Source: PostgresTaskContext.getSlotXmin.
 */
export async function watchXmin({ slot, xminIntervalMs }: Settings, sql: SqlLink, log: Logger): Promise<SlotXmin | undefined> {
  if (xminIntervalMs <= 0) return undefined;
  let xmin: number | null = null;
  const look = async (): Promise<void> => {
    try {
      const { rows } = await sql.use((client) =>
        client.query<{ xmin: string | null }>('select catalog_xmin::text as xmin from pg_replication_slots where slot_name = $1', [slot]),
      );
      const found = rows[0]?.xmin ?? null;
      xmin = found === null ? null : Number(found);
    } catch (error) {
      log.warn(explain(error, `look up the xmin of replication slot "${slot}"`).message);
    }
  };
  await look();
  const timer = setInterval(() => void look(), xminIntervalMs);
  return { value: () => xmin, [Symbol.dispose]: () => clearInterval(timer) };
}
