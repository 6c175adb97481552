/** Opens what a source task needs to write exactly-once (KIP-618), in the order that keeps an earlier instance of it out. */
import { ConnectError, RetriableError } from '../api/index.ts';
import type { OffsetMap, RawConfig, SourcePosition } from '../api/index.ts';
import { connectorBoundary, intervalBoundary, pollBoundary } from '../pipeline/transaction-boundary.ts';
import type { TransactionBoundary } from '../pipeline/transaction-boundary.ts';
import type { Transactions } from '../pipeline/transaction-parts.ts';
import { transactionRequests } from '../pipeline/transaction-requests.ts';
import type { TransactionRequests } from '../pipeline/transaction-requests.ts';
import type { OutboundBatch } from '../ports/log.ts';
import type { OffsetsTopic } from '../ports/stores.ts';
import type { ExactlyOnce } from '../ports/tasks.ts';
import { offsetBatches } from '../stores/offset-batches.ts';
import { canonicalPartition, encodeOffsetKey, encodeOffsetValue } from '../stores/offset-codec.ts';
import type { TaskEnvironment } from './task-environment.ts';

export interface OpenedTransactions {
  readonly transactions: Transactions;
  /** Undefined unless the connector draws the boundaries. */
  readonly requests: TransactionRequests | undefined;
}

/** Rejects with the reason of the task's signal when the task is to stop meanwhile. */
export async function openTransactions(env: TaskEnvironment, { transactionalId }: ExactlyOnce): Promise<OpenedTransactions> {
  const { spec, log, signal, offsets, settings } = env;
  const { connector, task } = spec.id;
  const config = spec.connectorConfig;
  // Whoever opens a producer ends those of earlier instances, and later ones of another worker as well.
  signal.throwIfAborted();
  const producer = await log.openTransactionalProducer({
    transactionalId,
    clientId: `connector-producer-${connector}-${task}`,
    overrides: producerOverrides(env),
  });
  await unlessAborted(env.producerReady(), signal);
  const { topic, copied } = await offsets.place();
  if (topic === undefined)
    throw new ConnectError(`task ${connector}-${task}: its offsets are in no topic, so that no transaction can hold them.`);
  await readToEnd(env);
  const requests = boundaryOf(config) === 'connector' ? transactionRequests() : undefined;
  return {
    requests,
    transactions: {
      producer,
      boundary: boundary(config, settings.offsetFlushIntervalMs, requests),
      task: `task ${connector}-${task}`,
      transactionalId,
      offsetsTopic: topic.name,
      offsetBatches: batchesFor(connector, topic, (partitions) => offsets.keys(partitions)),
      ...(copied ? { copy: (positions) => offsets.copy(positions) } : {}),
    },
  };
}

/**
 * What the former instance committed last counts too. A transaction that another task left open in the topic holds this
 * up until it expires, as in Connect.
 */
async function readToEnd({ offsets, logger, signal }: TaskEnvironment): Promise<void> {
  for (;;) {
    try {
      return void (await unlessAborted(offsets.read([]), signal));
    } catch (error) {
      if (!(error instanceof RetriableError)) throw error;
      logger.warn(`the offsets cannot be read yet, trying again: ${error.message}`);
    }
  }
}

function boundaryOf(config: RawConfig): string {
  return config['transaction.boundary']?.trim().toLowerCase() ?? 'poll';
}

function boundary(config: RawConfig, flushMs: number, requests: TransactionRequests | undefined): TransactionBoundary {
  if (requests !== undefined) return connectorBoundary(requests);
  return boundaryOf(config) === 'interval' ? intervalBoundary(intervalMs(config, flushMs), flushMs) : pollBoundary(flushMs);
}

function intervalMs(config: RawConfig, flushMs: number): number {
  const wanted = config['transaction.boundary.interval.ms']?.trim() ?? '';
  return wanted === '' ? flushMs : Number(wanted);
}

/** Both of them are what makes it exactly-once, so that Connect passes over them with a warning too. */
const fixed = ['transactional.id', 'enable.idempotence'];
/** Brokers refuse more unless `transaction.max.timeout.ms` was raised. */
const longestTimeoutMs = 900_000;
const defaultTimeoutMs = 60_000;
const forever = '2147483647';

function producerOverrides({ spec, settings, logger }: TaskEnvironment): RawConfig {
  const prefix = 'producer.override.';
  const overrides: Record<string, string> = {};
  for (const [key, value] of Object.entries(spec.connectorConfig)) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (!fixed.includes(name)) overrides[name] = value;
    else if (name === 'transactional.id' || value.trim().toLowerCase() !== 'true') {
      logger.warn(`${key} has no effect: with exactly-once, the worker sets it.`);
    }
  }
  const chosen = (name: string): boolean => (overrides[name] ?? settings.clients?.producer[name]) !== undefined;
  // Brokers that are away are waited for, as Connect does: a commit is lost only where its transaction expires.
  if (!chosen('max.block.ms')) overrides['max.block.ms'] = forever;
  // A transaction must not expire before the interval ends; both are a minute by default.
  if (boundaryOf(spec.connectorConfig) === 'interval' && !chosen('transaction.timeout.ms')) {
    const needed = intervalMs(spec.connectorConfig, settings.offsetFlushIntervalMs) + defaultTimeoutMs;
    overrides['transaction.timeout.ms'] = String(Math.min(needed, longestTimeoutMs));
  }
  return overrides;
}

/** Under the bytes of the keys that are there already, since Connect looks offsets up by bytes. */
function batchesFor(
  connector: string,
  topic: OffsetsTopic,
  keysOf: (partitions: readonly OffsetMap[]) => Promise<readonly (Uint8Array | undefined)[]>,
): (positions: readonly SourcePosition[]) => Promise<readonly OutboundBatch[]> {
  const keys = new Map<string, Buffer>();

  async function learn(partitions: readonly OffsetMap[]): Promise<void> {
    const found = await keysOf(partitions);
    for (const [at, partition] of partitions.entries()) {
      const bytes = found[at];
      keys.set(canonicalPartition(partition), bytes === undefined ? encodeOffsetKey(connector, partition) : Buffer.from(bytes));
    }
  }

  return async (positions) => {
    const named = positions.map((position) => ({ ...position, name: canonicalPartition(position.partition) }));
    const unknown = named.filter(({ name }) => !keys.has(name)).map(({ partition }) => partition);
    if (unknown.length > 0) await learn(unknown);
    const now = Date.now();
    return offsetBatches(
      topic,
      named.map(({ name, offset }) => ({ key: keys.get(name) as Buffer, value: encodeOffsetValue(offset) })),
      now,
    );
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
