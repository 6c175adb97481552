import { startKafka } from './kafka.ts';
import type { KafkaServer } from './kafka.ts';
import { startPostgres } from './postgres.ts';
import type { PostgresServer } from './postgres.ts';

let postgres: Promise<PostgresServer> | undefined;
let kafka: Promise<KafkaServer> | undefined;

/**
 * The PostgreSQL of this run (POSTGRES_URL), or else one for this process, started on first use.
 * Nobody disposes of it: it goes with the process. Tests that stop or kill a server start their
 * own with `startPostgres({private: true})`.
 */
export const usePostgres = (): Promise<PostgresServer> => (postgres ??= startPostgres());

/** The Kafka of this run (KAFKA_BROKERS), or else one for this process; otherwise as above. */
export const useKafka = (): Promise<KafkaServer> => (kafka ??= startKafka());

export type ServiceName = 'postgres' | 'kafka';

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
  const kept = started.move();
  return { env, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
