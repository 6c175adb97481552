/** The snapshot's beginning: one moment that the rows and the slot agree on. */
import { randomBytes } from 'node:crypto';

import type { Logger } from '@millrace/runtime/api';

import { endClient } from '../connection/connection.ts';
import type { Connector } from '../connection/connection.ts';
import { formatLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { createSlot, dropSlot, findSlot } from '../slot/slot.ts';
import type { SnapshotProgress } from '../position/progress.ts';
import { takeSnapshot } from './snapshot.ts';
import type { SnapshotParts } from './snapshot.ts';
import type { SqlLink } from '../connection/sql-link.ts';
import { capturedTables } from '../catalog/tables.ts';

interface Parts extends SnapshotParts {
  readonly connector: Connector;
  readonly sql: SqlLink;
  readonly log: Logger;
}

export interface SnapshotJob {
  /** Resolves with the LSN from which the stream has to go on. Called again after a failure, it goes on where it was. */
  run(): Promise<Lsn>;
}

/**
 * Snapshots the captured tables; `only` without a slot.
 *
 * A new slot exports the very snapshot that its stream begins after. For a slot that is there already, a second,
 * temporary one is created to export a snapshot and name its LSN; streaming the old slot from that LSN on gives
 * what the temporary one would have given: exactly the transactions that the snapshot does not hold. (The current
 * WAL position would not do: a transaction whose commit is written before it may still be invisible.)
 *
 * A snapshot that was broken off needs no slot again: see `snapshot/progress.ts`.
 */
export function createSnapshotJob(parts: Parts, only: boolean, before: SnapshotProgress | undefined): SnapshotJob {
  let progress = before;
  const onFailed = (found: SnapshotProgress | undefined): void => {
    progress = found ?? progress;
  };
  return {
    async run() {
      const { connector, sql, settings, log, signal } = parts;
      const tables = await sql.use(async (client) =>
        (await capturedTables(client, settings)).filter(({ schema, table }) => settings.inSnapshot(`${schema}.${table}`)),
      );
      const reader = await connector.connectReader();
      const withReaders: SnapshotParts = { ...parts, openReader: () => connector.connectReader() };
      const closeReader = (): void => void endClient(reader);
      signal.addEventListener('abort', closeReader, { once: true });
      try {
        if (progress !== undefined) {
          log.info(`snapshot: going on after ${progress.rows} rows, as of ${formatLsn(progress.lsn)}`);
          return await takeSnapshot(reader, tables, { exported: undefined, onHeld: async () => {}, progress, onFailed }, withReaders);
        }
        if (only) return await takeSnapshot(reader, tables, { exported: undefined, onHeld: async () => {} }, withReaders);
        await using exporter = await exportWithSlot(parts);
        const { name, lsn, close } = exporter;
        return await takeSnapshot(reader, tables, { exported: { name, lsn }, onHeld: close, onFailed }, withReaders);
      } finally {
        signal.removeEventListener('abort', closeReader);
        await endClient(reader);
      }
    },
  };
}

interface Exporter extends AsyncDisposable {
  readonly name: string;
  readonly lsn: Lsn;
  readonly close: () => Promise<void>;
}

async function exportWithSlot({ connector, sql, settings, log, signal }: Parts): Promise<Exporter> {
  const exists = await sql.use(async (client) => {
    const slot = await findSlot(client, settings);
    if (slot?.lost) {
      log.warn(`replication slot "${settings.slot}" lost WAL: it is made anew`);
      await dropSlot(client, settings.slot);
    }
    return slot !== undefined && !slot.lost;
  });
  const replication = await connector.connectReplication();
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await endClient(replication);
    open = false;
  };
  try {
    const name = exists ? `${settings.slot.slice(0, 45)}_snapshot_${randomBytes(4).toString('hex')}` : settings.slot;
    log.info(
      exists
        ? 'snapshot: waiting for a consistent point'
        : `creating replication slot "${name}", once the transactions that run now have ended`,
    );
    const { consistentPoint, snapshot } = await createSlot(replication, name, {
      temporary: exists,
      failover: !exists && settings.slotFailover,
      log,
      signal,
    });
    return { name: snapshot, lsn: consistentPoint, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
