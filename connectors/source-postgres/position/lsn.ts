/**
 * Positions in the write-ahead log. Inside the connector an LSN is a number while it is a safe integer (the first
 * 8 PiB of a cluster's life), else a bigint; `16/B374D848` is how PostgreSQL writes it.
 */
export type Lsn = number | bigint;

/** SQL for how far the WAL is that the session's server has: on a standby, what was replayed of it. */
export const walEndSql = 'case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text';

export function lsnOf(high: number, low: number): Lsn {
  // 2^21 × 2^32 = 2^53
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
}

/** Throws a TypeError for anything but an LSN in PostgreSQL's notation. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not an LSN`);
  return lsnOf(parseInt(match[1] as string, 16), parseInt(match[2] as string, 16));
}

export function formatLsn(lsn: Lsn): string {
  const value = BigInt(lsn);
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

/** The stored value of an LSN, as a number where that is exact. */
export function storedLsn(value: unknown): Lsn | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a > b ? a : b);
