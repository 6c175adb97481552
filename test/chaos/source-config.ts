import type { PostgresAddress } from '../services/postgres.ts';
import { table } from './row-load.ts';

const jsonConverter = 'org.apache.kafka.connect.json.JsonConverter';

/** Debezium's JSON for the table that the load changes; `id` names slot, publication and topics. */
export function sourceConfig(
  id: string,
  postgres: PostgresAddress,
  further: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': postgres.user,
    'database.password': postgres.password,
    'database.dbname': postgres.database,
    'topic.prefix': id,
    'plugin.name': 'pgoutput',
    'publication.name': id,
    'publication.autocreate.mode': 'filtered',
    'slot.name': id,
    'table.include.list': table,
    'snapshot.mode': 'no_data',
    'slot.retry.delay.ms': '1000',
    'slot.max.retries': '60',
    'topic.creation.default.partitions': '2',
    'topic.creation.default.replication.factor': '1',
    'key.converter': jsonConverter,
    'value.converter': jsonConverter,
    'key.converter.schemas.enable': 'false',
    'value.converter.schemas.enable': 'false',
    ...further,
  };
}
