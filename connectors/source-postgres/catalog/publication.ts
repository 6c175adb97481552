/** The publication: made, and kept equal to the filters, as Debezium does. */
import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import { explain } from '../connection/errors.ts';
import { publishedParts } from './published-part.ts';
import type { CapturedTable } from './tables.ts';
import type { Settings } from '../config/settings.ts';

const quote = (name: string): string => pg.escapeIdentifier(name);
const qualified = ({ schema, table, published }: CapturedTable): string => {
  const columns = published?.columns ? ` (${[...published.columns].map(quote).join(', ')})` : '';
  const where = published?.rowFilter ? ` where (${published.rowFilter})` : '';
  return `${quote(schema)}.${quote(table)}${columns}${where}`;
};

export async function publicationExists(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query('select from pg_publication where pubname = $1', [name]);
  return rows.length > 0;
}

/** It was there when the stream began. */
export const missingPublication = ({ publication }: Settings, found: string): ConfigError =>
  new ConfigError(`publication "${publication}" was dropped: ${found}.`, {
    hint: 'Create the publication, or let publication.autocreate.mode do so, and restart the connector; changes made without it are lost.',
  });

/** Throws a ConfigError when there is none and none may be made, or no table would be in it. */
export async function ensurePublication(client: Client, settings: Settings, tables: readonly CapturedTable[], log: Logger): Promise<void> {
  const { publication: name, autocreate } = settings;
  const { rows } = await client.query<{ oid: number; all: boolean }>(
    'select oid, puballtables as all from pg_publication where pubname = $1',
    [name],
  );
  const existing = rows[0];
  if (autocreate === 'disabled') {
    if (existing !== undefined) return;
    throw new ConfigError(`publication "${name}" does not exist, and publication.autocreate.mode is disabled.`, {
      hint: `Create it (CREATE PUBLICATION ${quote(name)} FOR TABLE …) and restart the connector.`,
    });
  }
  if (autocreate === 'filtered' && tables.length === 0) {
    throw new ConfigError(`No table filters found for filtered publication ${name}: no table of database "${settings.database}" matches.`, {
      hint: 'Check table.include.list and schema.include.list, and that the tables exist.',
    });
  }
  if (existing === undefined) {
    // Another connector may have made it since.
    if (!(await create(client, settings, tables))) return ensurePublication(client, settings, tables, log);
    log.info(`publication "${name}" was created (${autocreate})`);
  } else if (autocreate === 'filtered' && !existing.all) {
    await equalise(client, settings, existing.oid, tables, log);
  }
}

/** False when there is one by now. */
async function create(client: Client, settings: Settings, tables: readonly CapturedTable[]): Promise<boolean> {
  const { publication, autocreate, viaPartitionRoot } = settings;
  const what = { all_tables: ' for all tables', filtered: ` for table ${tables.map(qualified).join(', ')}`, no_tables: '', disabled: '' }[
    autocreate
  ];
  const options = viaPartitionRoot ? ['publish_via_partition_root = true'] : [];
  if (!settings.values.compatible && (await serverVersion(client)) >= 180_000) options.push('publish_generated_columns = stored');
  const having = options.length === 0 ? '' : ` with (${options.join(', ')})`;
  try {
    await client.query(`create publication ${quote(publication)}${what}${having}`);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // duplicate_object, and unique_violation for two at the same moment.
    if (code === '42710' || code === '23505') return false;
    if (autocreate === 'all_tables' && code === '42501') {
      throw new ConfigError(`could not create publication "${publication}" for all tables: ${(error as Error).message}.`, {
        cause: error,
        hint: 'Only a superuser may. Set publication.autocreate.mode=filtered, or let a superuser create the publication.',
      });
    }
    throw explain(error, `create publication "${publication}"`);
  }
}

async function serverVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>("select current_setting('server_version_num')::int as version");
  return rows[0]?.version ?? 0;
}

/** Sets the tables of a publication that has others than the filters choose. */
async function equalise(client: Client, settings: Settings, oid: number, tables: readonly CapturedTable[], log: Logger): Promise<void> {
  const { rows } = await client.query<{ oid: number }>('select prrelid as oid from pg_publication_rel where prpubid = $1', [oid]);
  const published = new Set(rows.map((row) => row.oid));
  if (published.size === tables.length && tables.every((table) => published.has(table.oid))) return;
  try {
    // What somebody chose to publish of a table stays so.
    const parts = await publishedParts(client, settings.publication);
    const listed = tables.map((table) => qualified({ ...table, published: parts.get(table.oid) }));
    await client.query(`alter publication ${quote(settings.publication)} set table ${listed.join(', ')}`);
    log.info(`publication "${settings.publication}" was changed to the ${tables.length} tables that the filters choose`);
  } catch (error) {
    throw explain(error, `set the tables of publication "${settings.publication}"`);
  }
}
