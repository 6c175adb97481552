/**
 * How far a snapshot has come, told with its rows' offsets in the field `millrace_snapshot`, which Debezium ignores:
 * to it, a snapshot that did not end starts again.
 *
 * The snapshot itself dies with its session. But a row that no transaction beyond the snapshot has touched still
 * stands where it stood, and its `xmin` says so: whoever goes on reads, behind the places that are noted here, just
 * the rows whose version the snapshot saw. All others were changed since, and the stream, which begins where the
 * snapshot was taken, tells of them. So a row comes once as `r` at most, and before every change of it.
 */
import type { OffsetMap } from '@millrace/runtime/api';

import { storedLsn } from './lsn.ts';
import type { Lsn } from './lsn.ts';
import { parseTid } from './tid.ts';
import type { TidRange } from './tid.ts';

/** What all rows of a snapshot share. */
export interface SnapshotMoment {
  readonly lsn: Lsn;
  readonly txId: number;
  readonly us: number;
  /** Which transactions it sees, as `txid_current_snapshot()` writes it. */
  readonly sees: string;
}

export interface SnapshotProgress extends SnapshotMoment {
  readonly rows: number;
  /** The oids of tables that are done. */
  readonly done: readonly number[];
  /** Tables that were begun, by oid. */
  readonly open: ReadonlyMap<number, OpenTable>;
}

export interface OpenTable {
  readonly rows: number;
  /** What is left of the table, or of each partition of it, by oid. */
  readonly parts: ReadonlyMap<number, OpenPart>;
}

export interface OpenPart {
  /** Where the rows are kept; another one after they were rewritten, and stand elsewhere. */
  readonly filenode: number;
  readonly left: readonly TidRange[];
}

const version = 1;
export const progressKey = 'millrace_snapshot';

/**
 * The field's text for rows of one piece, which stands at -1 in `open`: what comes before the place of a row
 * (`(block,number)`), and what comes behind it; undefined where no piece moves. `done` are the oids, joined, since
 * there may be thousands.
 */
export function progressText(
  sees: string,
  rows: number,
  done: string,
  open: ReadonlyMap<number, OpenTable>,
): readonly [string, string | undefined] {
  const tables = Array.from(open, ([oid, { rows: emitted, parts }]) => [
    oid,
    emitted,
    Array.from(parts, ([part, { filenode, left }]) => [part, filenode, left.map(({ after, toBlock }) => [after, toBlock ?? null])]),
  ]);
  const [before, behind] = JSON.stringify(tables).split('[-1,') as [string, string | undefined];
  const head = `{"v":${version},"sees":"${sees}","rows":${rows},"done":[${done}],"open":${before}`;
  return behind === undefined ? [`${head}}`, undefined] : [`${head}["`, `",${behind}}`];
}

type Stored = readonly [number, number, readonly (readonly [number, number, readonly (readonly [number | string, number | null])[]])[]];

/** What an offset tells of an unfinished snapshot; undefined where it is Debezium's, or not to be understood. */
export function readProgress(offset: OffsetMap): SnapshotProgress | undefined {
  const text = offset[progressKey];
  const [lsn, txId, us] = [storedLsn(offset['lsn']), Number(offset['txId']), Number(offset['ts_usec'])];
  if (typeof text !== 'string' || lsn === undefined || !Number.isSafeInteger(txId) || !Number.isSafeInteger(us)) return undefined;
  try {
    const stored = JSON.parse(text) as { v: number; sees: string; rows: number; done: number[]; open: Stored[] };
    if (stored.v !== version || !/^\d+:\d+:[\d,]*$/.test(stored.sees)) return undefined;
    const open = stored.open.map(([oid, rows, parts]): [number, OpenTable] => [
      oid,
      {
        rows,
        parts: new Map(
          parts.map(([part, filenode, left]) => [
            part,
            {
              filenode,
              left: left.map(([after, toBlock]) => ({
                after: typeof after === 'string' ? parseTid(after) : after,
                toBlock: toBlock ?? undefined,
              })),
            },
          ]),
        ),
      },
    ]);
    return { lsn, txId, us, sees: stored.sees, rows: stored.rows, done: stored.done, open: new Map(open) };
  } catch {
    return undefined;
  }
}
