import type { Cluster } from './cluster.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import type { Warn } from './warning.ts';

const atOnce = 16;
/** The coordinator waits no longer for the replicas of its log; brokers refuse one above their transaction.max.timeout.ms. */
const longestTimeoutMs = 30_000;

/**
 * Makes every producer with one of these ids unable to write: InitProducerId at the coordinator of each, as
 * Admin.fenceProducers. Their open transactions are aborted when it resolves. All are tried; rejects with the first
 * error, with a RetriableError for what took longer than `default.api.timeout.ms`.
 */
export async function fenceProducers(cluster: Cluster, transactionalIds: readonly string[], warn: Warn): Promise<void> {
  const { apiTimeoutMs, requestTimeoutMs } = cluster.network;
  const timeoutMs = Math.min(requestTimeoutMs, longestTimeoutMs);
  const open = new Set(transactionalIds).values();
  const failures: unknown[] = [];
  const fence = async (): Promise<void> => {
    // The workers take turns at the one iterator.
    for (const transactionalId of open) {
      const coordinator = new TransactionCoordinator(cluster, { transactionalId, clientId: 'millrace-admin', timeoutMs }, warn);
      try {
        await coordinator.begin(apiTimeoutMs);
      } catch (error) {
        failures.push(error);
      } finally {
        await coordinator.close();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, transactionalIds.length) }, fence));
  if (failures.length > 0) throw failures[0];
}
