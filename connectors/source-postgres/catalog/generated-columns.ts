/** Which generated columns a snapshot reads. */
import type { Client } from 'pg';

import { publishesGenerated } from './catalog.ts';
import type { Settings } from '../config/settings.ts';
import type { GeneratedColumns } from './table-key.ts';

/** Those that the stream will not have would stay behind in whatever the records are written to. */
export async function generatedColumns(client: Client, settings: Settings): Promise<GeneratedColumns> {
  const all = settings.values.compatible || !settings.snapshotRules.stream || settings.autocreate === 'no_tables';
  if (all) return 'all';
  return (await publishesGenerated(client, settings.publication)) ? 'stored' : 'none';
}
