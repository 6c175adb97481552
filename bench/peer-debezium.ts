import { startConnect } from '../test/services/connect.ts';
import type { ConnectServer } from '../test/services/connect.ts';
import type { PostgresAddress } from '../test/services/postgres.ts';
import type { BenchSubject } from './measure.ts';

export interface DebeziumOptions {
  readonly brokers: readonly string[];
  readonly postgres: PostgresAddress;
  readonly publication: string;
  /** For streaming one that exists, and holds the rows; a snapshot makes its own. */
  readonly slot: string;
  readonly table?: string;
  readonly reads: 'stream' | 'snapshot';
  readonly tuning: 'as shipped' | 'tuned';
  /** What the subject is called; its tuning and what it reads, if left out. */
  readonly label?: string;
  /** Further connector configuration, the same for a rival to be compared with. */
  readonly config?: Readonly<Record<string, string>>;
}

const TUNED = {
  'poll.interval.ms': '5',
  'max.batch.size': '8192',
  'max.queue.size': '32768',
  'producer.override.batch.size': '262144',
};

/** Debezium's configuration, which Millrace takes too. */
export function debeziumConfig(options: DebeziumOptions, topicPrefix: string): Record<string, string> {
  const { postgres, publication, slot, table = 'public.orders', reads, tuning } = options;
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': postgres.user,
    'database.password': postgres.password,
    'database.dbname': postgres.database,
    'topic.prefix': topicPrefix,
    'plugin.name': 'pgoutput',
    'publication.name': publication,
    'publication.autocreate.mode': 'disabled',
    'slot.name': slot,
    'table.include.list': table,
    'snapshot.mode': reads === 'stream' ? 'no_data' : 'initial',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    ...(tuning === 'tuned' && TUNED),
    ...options.config,
  };
}

/** Kafka Connect with Debezium in a process of its own, started and measured like any subject. */
export function debeziumPeer(options: DebeziumOptions): BenchSubject {
  const { table = 'public.orders', tuning, reads } = options;
  const id = `debezium_${reads}_${tuning.replace(' ', '_')}_${Date.now().toString(36)}`;
  let worker: ConnectServer | undefined;

  return {
    name: options.label ?? `Debezium ${tuning} (${reads})`,
    topic: `${id}.${table}`,
    async start() {
      worker = await startConnect({ brokers: options.brokers, group: id, readyWithinMs: 400_000 });
      const answer = await fetch(`${worker.url}/connectors/${id}/config`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(debeziumConfig(options, id)),
      });
      if (!answer.ok) throw new Error(`Connect refused the connector: ${answer.status} ${await answer.text()}`);
      return { readyAfterMs: worker.readyAfterMs };
    },
    stop: async () => worker?.[Symbol.asyncDispose](),
    pid: () => worker!.pid,
    async failure() {
      const answer = await fetch(`${worker!.url}/connectors/${id}/status`);
      const status = (await answer.json()) as { tasks?: { state: string; trace?: string }[] };
      return status.tasks?.find((task) => task.state === 'FAILED')?.trace;
    },
  };
}
