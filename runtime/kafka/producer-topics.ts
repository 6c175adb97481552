import { RetriableError } from '../api/index.ts';
import type { Cluster } from './cluster.ts';
import { missingTopic } from './producer-errors.ts';
import type { ProducerPartition } from './producer-partition.ts';
import { backoffMs, pause } from './retry.ts';

export interface TopicSearchOptions {
  readonly cluster: Cluster;
  readonly clientId: string;
  /** How long to wait for a topic or partition that the cluster does not have. */
  readonly maxBlockMs: number;
  /** The partitions that batches wait for. */
  readonly waiting: Iterable<ProducerPartition>;
  /** Ends the search. */
  readonly signal: AbortSignal;
  /** After each time that the cluster was asked. */
  asked(): void;
  /** It could not be asked; it is asked again. */
  troubled(error: Error): void;
  /** A topic cannot be written to. */
  failed(error: Error): void;
}

/** Asks the cluster for the leaders of topics, again and again, until all are known. */
export class TopicSearch {
  readonly #options: TopicSearchOptions;
  readonly #wanted = new Set<string>();
  #running = false;

  constructor(options: TopicSearchOptions) {
    this.#options = options;
  }

  search(topic: string): void {
    this.#wanted.add(topic);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { cluster, signal, asked, troubled, failed } = this.#options;
    this.#running = true;
    for (let failures = 1; this.#wanted.size > 0 && !signal.aborted; failures++) {
      const topics = [...this.#wanted];
      try {
        await cluster.refresh(topics, true);
        for (const topic of topics) this.#wanted.delete(topic);
        this.#checkMissing(topics);
      } catch (error) {
        if (error instanceof RetriableError) troubled(error);
        else failed(error as Error);
      }
      asked();
      await pause(backoffMs(cluster.network.retry, failures), signal);
    }
    this.#running = false;
  }

  #checkMissing(topics: readonly string[]): void {
    const { cluster, clientId, maxBlockMs, waiting, failed } = this.#options;
    const now = Date.now();
    for (const partition of waiting) {
      if (!topics.includes(partition.topic)) continue;
      const error = missingTopic(clientId, partition, cluster.topic(partition.topic));
      if (error === undefined) partition.missingSince = undefined;
      else if (!(error instanceof RetriableError)) failed(error);
      else if (now - (partition.missingSince ??= now) >= maxBlockMs) failed(error);
    }
  }
}
