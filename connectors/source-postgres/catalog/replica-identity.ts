/**
 * Sets the REPLICA IDENTITY of captured tables (replica.identity.autoset.values).
 * Source: io.debezium.connector.postgresql.ReplicaIdentityMapper.
 */
import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import type { TableName } from './catalog.ts';
import { pattern } from '../config/filters.ts';
import type { Pattern } from '../config/filters.ts';

export interface IdentityRule {
  readonly tables: Pattern;
  readonly identity: 'DEFAULT' | 'FULL' | 'NOTHING' | 'INDEX';
  /** For INDEX. */
  readonly index: string | undefined;
}

const key = 'replica.identity.autoset.values';
const form = /^([^\s:]+):(?:(DEFAULT|FULL|NOTHING)|INDEX (\w+))$/i;

/** `shop.orders:FULL,shop.items:INDEX items_sku`. Throws a ConfigError. */
export function identityRules(text: string | null): readonly IdentityRule[] {
  const rules = (text ?? '').split(',').filter((rule) => rule.trim() !== '');
  return rules.map((rule) => {
    const match = form.exec(rule.trim());
    if (match === null) {
      throw new ConfigError(`${key}: "${rule.trim()}" is not of the form schema.table:DEFAULT, FULL, NOTHING or INDEX name.`);
    }
    const identity = (match[2]?.toUpperCase() ?? 'INDEX') as IdentityRule['identity'];
    return { tables: pattern(key, match[1] ?? ''), identity, index: match[3] };
  });
}

const letters = { d: 'DEFAULT', f: 'FULL', n: 'NOTHING', i: 'INDEX' } as const;

/** Changes those that differ. What cannot be changed is warned about, as in Debezium: the stream goes on all the same. */
export async function setIdentities(
  client: Client,
  rules: readonly IdentityRule[],
  tables: readonly TableName[],
  log: Logger,
): Promise<void> {
  if (rules.length === 0 || tables.length === 0) return;
  const { rows } = await client.query<{ oid: number; identity: keyof typeof letters; index: string | null }>(
    `select c.oid, c.relreplident as identity,
      (select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid and x.indisreplident) as index
    from pg_class c where c.oid = any($1::oid[])`,
    [tables.map(({ oid }) => oid)],
  );
  const current = new Map(rows.map((row) => [row.oid, row]));
  for (const { oid, schema, table } of tables) {
    const name = `${schema}.${table}`;
    const matching = rules.filter((rule) => rule.tables.test(name));
    const [rule] = matching;
    const now = current.get(oid);
    if (rule === undefined || now === undefined) continue;
    if (matching.length > 1) {
      log.warn(`${key}: more than one expression matches table ${name}; its replica identity stays ${letters[now.identity]}`);
      continue;
    }
    if (letters[now.identity] === rule.identity && (rule.identity !== 'INDEX' || now.index === rule.index)) continue;
    const wanted = rule.identity === 'INDEX' ? `USING INDEX ${pg.escapeIdentifier(rule.index ?? '')}` : rule.identity;
    try {
      await client.query(`alter table ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)} replica identity ${wanted}`);
      log.info(`replica identity of table ${name} was ${letters[now.identity]}, and is now ${wanted}`);
    } catch (error) {
      log.warn(`${key}: the replica identity of table ${name} could not be set to ${wanted}: ${(error as Error).message}`);
    }
  }
}
