import { startElasticsearch } from './elasticsearch.ts';
import type { ElasticsearchServer } from './elasticsearch.ts';
import { startKafka } from './kafka.ts';
import type { KafkaServer } from './kafka.ts';
import { startPostgres } from './postgres.ts';
import type { PostgresServer } from './postgres.ts';
import { startS3 } from './s3.ts';
import type { S3Server } from './s3.ts';

let postgres: Promise<PostgresServer> | undefined;
let kafka: Promise<KafkaServer> | undefined;
let s3: Promise<S3Server> | undefined;
let elasticsearch: Promise<ElasticsearchServer> | undefined;

/**
 * The PostgreSQL of this run (POSTGRES_URL), or else one for this process, started on first use.
 * Nobody disposes of it: it goes with the process. Tests that stop or kill a server start their
 * own with `startPostgres({private: true})`.
 */
export const usePostgres = (): Promise<PostgresServer> => (postgres ??= startPostgres());

/** The Kafka of this run (KAFKA_BROKERS), or else one for this process; otherwise as above. */
export const useKafka = (): Promise<KafkaServer> => (kafka ??= startKafka());

/** The Elasticsearch of this run (ELASTICSEARCH_URL), or else one for this process; otherwise as above. */
export const useElasticsearch = (): Promise<ElasticsearchServer> => (elasticsearch ??= startElasticsearch());

/** The S3 of this run (S3_ENDPOINT), or else one for this process; otherwise as above. */
export const useS3 = (): Promise<S3Server> => (s3 ??= startS3());

export type ServiceName = 'postgres' | 'kafka' | 'elasticsearch' | 's3';

export interface SharedServices extends AsyncDisposable {
  /** To be added to the environment of the test processes. */
  readonly env: Record<string, string>;
}

/** For the runner of all tests: starts each service once. */
export async function startShared(services: readonly ServiceName[]): Promise<SharedServices> {
  await using started = new AsyncDisposableStack();
  const env: Record<string, string> = {};
  // One after the other: on two cores that is no slower, and a failure leaves less to clear up.
  if (services.includes('postgres')) env['POSTGRES_URL'] = started.use(await startPostgres()).url;
  if (services.includes('kafka')) env['KAFKA_BROKERS'] = started.use(await startKafka()).brokers.join(',');
  if (services.includes('elasticsearch')) env['ELASTICSEARCH_URL'] = started.use(await startElasticsearch()).url;
  if (services.includes('s3')) env['S3_ENDPOINT'] = started.use(await startS3()).endpoint;
  const kept = started.move();
  return { env, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
