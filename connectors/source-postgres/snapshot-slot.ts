/** The snapshot's beginning: one moment that the rows and the slot agree on. */
import { randomBytes } from 'node:crypto';

import type { Logger } from '@millrace/runtime/api';

import { endClient } from './connection.ts';
import type { Connector } from './connection.ts';
import type { Lsn } from './lsn.ts';
import { createSlot, dropSlot, findSlot } from './slot.ts';
import { takeSnapshot } from './snapshot.ts';
import type { SnapshotParts } from './snapshot.ts';
import type { SqlLink } from './sql-link.ts';
import { capturedTables } from './tables.ts';

interface Parts extends SnapshotParts {
  readonly connector: Connector;
  readonly sql: SqlLink;
  readonly log: Logger;
}

/**
 * Snapshots the captured tables; resolves with the LSN from which the stream has to go on.
 *
 * A new slot exports the very snapshot that its stream begins after. For a slot that is there already, a second,
 * temporary one is created to export a snapshot and name its LSN; streaming the old slot from that LSN on gives
 * what the temporary one would have given: exactly the transactions that the snapshot does not hold. (The current
 * WAL position would not do: a transaction whose commit is written before it may still be invisible.)
 */
export async function snapshotWithSlot(parts: Parts, only: boolean): Promise<Lsn | undefined> {
  const { connector, sql, settings, log } = parts;
  const tables = await sql.use(async (client) =>
    (await capturedTables(client, settings)).filter(({ schema, table }) => settings.inSnapshot(`${schema}.${table}`)),
  );
  const reader = await connector.connectReader();
  const closeReader = (): void => void endClient(reader);
  parts.signal.addEventListener('abort', closeReader, { once: true });
  try {
    if (only) return await takeSnapshot(reader, tables, { exported: undefined, onHeld: async () => {} }, parts);
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
      });
      return await takeSnapshot(reader, tables, { exported: { name: snapshot, lsn: consistentPoint }, onHeld: close }, parts);
    } finally {
      await close();
    }
  } finally {
    parts.signal.removeEventListener('abort', closeReader);
    await endClient(reader);
  }
}
