/** What a transaction sees of others: `xmin:xmax:xip,…`. Source: PostgreSQL, pg_current_snapshot. */
export interface PgSnapshot {
  /** Whether what the transaction did is seen; of a number of 32 bits, as the stream tells it, the one closest to now. */
  sees(xid: number): boolean;
}

const epoch = 0x1_0000_0000;

/** Throws a TypeError for what is no snapshot. */
export function parseSnapshot(text: string): PgSnapshot {
  const match = /^(\d+):(\d+):((?:\d+,?)*)$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not a snapshot`);
  const [xmin, xmax] = [Number(match[1]), Number(match[2])];
  const running = new Set((match[3] as string).split(',').map(Number));
  return {
    sees(xid) {
      const distance = (((xid - xmax) % epoch) + epoch) % epoch;
      const whole = xmax + (distance >= epoch / 2 ? distance - epoch : distance);
      return whole < xmin || (whole < xmax && !running.has(whole));
    },
  };
}

/** Commits that the stream has told of and that a snapshot may not see yet: those waiting for a standby, say. */
export class RecentCommits {
  #older = new Set<number>();
  #newer = new Set<number>();

  add(xid: number): void {
    this.#newer.add(xid);
    // So many cannot wait; and a session ends at times.
    if (this.#newer.size > 100_000) this.#newer.clear();
  }

  /** From here on changes are collected one by one. */
  mark(): void {
    for (const xid of this.#newer) this.#older.add(xid);
    this.#newer = new Set();
  }

  /** Whether a commit before the mark is not seen by the snapshot, so that its rows would be out of date. */
  unseenBy(snapshot: PgSnapshot): boolean {
    for (const xid of this.#older) {
      if (!snapshot.sees(xid)) return true;
      this.#older.delete(xid);
    }
    return false;
  }
}
