/** Offsets that are altered or reset by REST: the target's positions follow, and the next start goes by them. */
import type { RawConfig, TopicPartition } from '@millrace/runtime/api';

import { connect, endClient } from './connection.ts';
import { codeOf, explain } from './errors.ts';
import { positionTables } from './positions.ts';
import type { Settings } from './settings.ts';

/** No offsets at all mean those of the whole connector. Returns whether positions are kept in the target. */
export async function alterPositions(
  settings: Settings,
  _raw: RawConfig,
  offsets: readonly (TopicPartition & { offset: bigint | null })[],
): Promise<boolean> {
  const { connector } = settings;
  if (settings.offsetsTable === '') return true;
  const { positions, refused } = positionTables(settings);
  const client = await connect(settings);
  try {
    await client.query('begin');
    if (offsets.length === 0) {
      await client.query(
        `update ${positions} set next_offset = null, topic_id = '', epoch = epoch + 1, changed_at = now() where connector = $1`,
        [connector],
      );
      await client.query(`delete from ${refused} where connector = $1`, [connector]);
    }
    for (const { topic, partition, offset } of offsets) {
      // The topic of today is meant, whichever was written before.
      await client.query(
        `update ${positions} set next_offset = $4::bigint, topic_id = '', epoch = epoch + 1, changed_at = now()
         where connector = $1 and topic = $2 and partition = $3::int`,
        [connector, topic, partition, offset],
      );
      await client.query(
        `delete from ${refused} where connector = $1 and topic = $2 and partition = $3::int and "offset" >= coalesce($4::bigint, 0)`,
        [connector, topic, partition, offset],
      );
    }
    await client.query('commit');
    return true;
  } catch (error) {
    // Nothing was ever written.
    if (codeOf(error) === '42P01') return true;
    throw explain(error, `alter the positions of connector ${connector} in table ${positions}`);
  } finally {
    await endClient(client);
  }
}
