/** What is looked at before a stream begins, at first and after each loss of it. */
import type { Logger } from '@millrace/runtime/api';

import { endClient } from '../connection/connection.ts';
import type { Connector } from '../connection/connection.ts';
import { explain } from '../connection/errors.ts';
import { missingPublication, publicationExists } from '../catalog/publication.ts';
import type { Settings } from '../config/settings.ts';
import { soundSlot } from './slot-problem.ts';
import { findSlot, setFailover } from './slot.ts';
import type { SlotState } from './slot.ts';
import type { SqlLink } from '../connection/sql-link.ts';
import type { StreamStart } from '../stream/stream-parts.ts';

interface Parts {
  readonly settings: Settings;
  readonly sql: SqlLink;
}

/** What the server says of the slot, and of the publication. */
export interface SlotLook {
  readonly slot: SlotState | undefined;
  readonly published: boolean;
}

export const lookAtSlot = ({ settings, sql }: Parts): Promise<SlotLook> =>
  sql.use(async (client) => ({
    slot: await findSlot(client, settings),
    published: await publicationExists(client, settings.publication),
  }));

/**
 * The slot, from which the stream can go on at `position`. The server would leave out silently what it has no more:
 * throws a SlotUnusableError instead, and a ConfigError where the publication is gone.
 */
export function judgeSlot({ slot, published }: SlotLook, position: StreamStart | undefined, settings: Settings): SlotState {
  const sound = soundSlot(slot, position, settings);
  if (!published) throw missingPublication(settings, 'it does not exist any more');
  return sound;
}

/** Looks, and judges. */
export const usableSlot = async (parts: Parts, position: StreamStart | undefined): Promise<SlotState> =>
  judgeSlot(await lookAtSlot(parts), position, parts.settings);

/** slot.failover, for a slot that was there before. It is only a warning where that cannot be. */
export async function ensureFailover({ settings, sql, connector, log }: Parts & { connector: Connector; log: Logger }): Promise<void> {
  try {
    const slot = await sql.use((client) => findSlot(client, settings));
    if (slot?.failover !== false || slot.activePid !== null) return;
    const client = await connector.connectReplication();
    await setFailover(client, settings.slot).finally(() => endClient(client));
    log.info(`replication slot "${settings.slot}" is synchronised to standbys from now on, as slot.failover says`);
  } catch (error) {
    log.warn(explain(error, `set slot.failover on replication slot "${settings.slot}"`).message);
  }
}

/** Whether something was decoded between the two. */
export function isFurther({ lastCommit, last }: StreamStart, before: StreamStart): boolean {
  if (lastCommit !== before.lastCommit) return true;
  return last?.txId !== before.last?.txId || last?.lsn !== before.last?.lsn || last?.row !== before.last?.row;
}
