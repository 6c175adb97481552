import { ConnectError, RetriableError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { FetchedRun, FetchLimits } from '../ports/log.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { ConsumerSettings } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import { FetchPositions, rewind } from './fetch-positions.ts';
import type { Position } from './fetch-positions.ts';
import { fetchApis, goesById, readFetch, writeFetch } from './fetch-request.ts';
import type { FetchResult } from './fetch-request.ts';
import { brokerError, codes, passing, staleMetadata } from './protocol-error.ts';
import { backoffMs } from './retry.ts';
import { keepVisible } from './visible-batches.ts';

interface Broker {
  readonly connection: BrokerConnection;
  busy: boolean;
}

interface Asked {
  readonly position: Position;
  readonly version: number;
  readonly offset: bigint;
}

/** A run that was fetched ahead; given out only while its position is where it was. */
interface Ready {
  readonly position: Position;
  readonly version: number;
  readonly run: FetchedRun;
}

/** Decides where to read on when the log no longer (or not yet) has a position; or throws. */
export type OutOfRange = (position: PartitionOffset, logStartOffset: bigint, highWatermark: bigint) => Promise<bigint>;

/**
 * Reads partitions from positions of its own. To each broker one request is under way, so that one round is fetched
 * ahead; a moved or paused position throws away what was.
 */
export class Fetcher {
  readonly positions = new FetchPositions();
  readonly #cluster: Cluster;
  readonly #clientId: string;
  readonly #settings: ConsumerSettings;
  readonly #outOfRange: OutOfRange;
  readonly #pinned: boolean;
  readonly #brokers = new Map<number, Broker>();
  #ready: Ready[] = [];
  #failure: { readonly error: Error; readonly position: Position; readonly version: number } | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  #limits: FetchLimits = { maxWaitMs: 0, maxBytes: 1 };
  readonly #stale = new Set<string>();
  #refreshing = false;

  /** `pinned`: a topic that is made anew is not read until it is assigned anew; else it is read at the same offsets. */
  constructor(cluster: Cluster, clientId: string, settings: ConsumerSettings, outOfRange: OutOfRange, pinned = false) {
    this.#pinned = pinned;
    this.#cluster = cluster;
    this.#clientId = clientId;
    this.#settings = settings;
    this.#outOfRange = outOfRange;
  }

  assign(offsets: readonly PartitionOffset[], idOf?: (topic: string) => string | undefined): void {
    this.positions.assign(offsets, idOf);
    this.#ready = [];
    this.#failure = undefined;
  }

  setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    this.positions.setPaused(partitions, paused);
    if (!paused) this.#ask();
  }

  /** The next runs, or none after `maxWaitMs`. Rejects with the signal's reason when it comes. */
  async fetch(limits: FetchLimits, signal?: AbortSignal): Promise<readonly FetchedRun[]> {
    const deadline = Date.now() + limits.maxWaitMs;
    this.#limits = limits;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw new ConnectError(`consumer "${this.#clientId}": was closed.`);
      const runs = this.#take(limits.maxBytes);
      this.#throwFailure();
      this.#ask();
      if (runs.length > 0) return runs;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return [];
      await this.#woken(Math.min(leftMs, this.#soonestRetryMs()), signal);
    }
  }

  close(): void {
    this.#closed = true;
    this.assign([]);
    for (const { connection } of this.#brokers.values()) this.#cluster.release(connection);
    this.#brokers.clear();
    this.#wake?.();
  }

  /** Ends the wait of a `fetch` under way. */
  interrupt(): void {
    this.#wake?.();
  }

  /** What is ready, up to so many bytes, but at least one run. */
  #take(maxBytes: number): FetchedRun[] {
    const runs: FetchedRun[] = [];
    let bytes = 0;
    let taken = 0;
    for (const { position, version, run } of this.#ready) {
      if (runs.length > 0 && bytes + run.length > maxBytes) break;
      taken++;
      if (position.version !== version) continue;
      position.delivered = run.nextPosition;
      bytes += run.length;
      runs.push(run);
    }
    this.#ready.splice(0, taken);
    return runs;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined && failure.version === failure.position.version) throw failure.error;
  }

  /** Asks each broker that is not asked already for what it leads. */
  #ask(): void {
    const now = Date.now();
    const ahead = new Set(this.#ready.filter(({ position, version }) => position.version === version).map(({ position }) => position));
    const questions = new Map<Broker, Position[]>();
    for (const position of this.positions.readable(now)) {
      if (ahead.has(position)) continue;
      const nodeId = this.#cluster.leaderOf(position.topic, position.partition);
      if (nodeId === undefined) {
        this.#again(position, true);
        continue;
      }
      let broker = this.#brokers.get(nodeId);
      if (broker === undefined)
        this.#brokers.set(nodeId, (broker = { connection: this.#cluster.connect(nodeId, this.#clientId), busy: false }));
      if (broker.busy) continue;
      const asked = questions.get(broker);
      if (asked === undefined) questions.set(broker, [position]);
      else asked.push(position);
    }
    for (const [broker, positions] of questions) void this.#request(broker, positions);
  }

  async #request(broker: Broker, positions: readonly Position[]): Promise<void> {
    broker.busy = true;
    const asked = positions.map((position): Asked => {
      position.inFlight = true;
      const { topicId } = this.#cluster.topic(position.topic) ?? {};
      if (!this.#pinned || position.topicId === undefined) position.topicId = topicId;
      return { position, version: position.version, offset: position.asked };
    });
    const { fetchMaxWaitMs, fetchMinBytes, fetchMaxBytes, partitionMaxBytes, isolation, rackId } = this.#settings;
    const maxBytes = Math.max(1, Math.min(fetchMaxBytes, this.#limits.maxBytes));
    const maxWaitMs = Math.max(1, Math.min(fetchMaxWaitMs, this.#limits.maxWaitMs));
    const bytes = Math.min(partitionMaxBytes, maxBytes);
    const parts = asked.map(({ position: { topic, topicId, partition }, offset }) => ({
      topic,
      topicId,
      partition,
      offset,
      maxBytes: bytes,
    }));
    const question = { maxWaitMs, minBytes: fetchMinBytes, maxBytes, readCommitted: isolation === 'read_committed', rackId, parts };
    const timeoutMs = this.#cluster.network.requestTimeoutMs + maxWaitMs;
    try {
      const { errorCode, results } = await broker.connection.send(
        goesById(question) ? fetchApis.byId : fetchApis.byName,
        () => writeFetch(question),
        (reader) => readFetch(reader, question),
        timeoutMs,
      );
      if (errorCode !== codes.none) throw brokerError(errorCode, `consumer "${this.#clientId}": fetching`);
      const byPartition = new Map(results.map((result) => [`${result.topic}/${result.partition}`, result]));
      for (const each of asked) {
        if (each.position.version !== each.version) continue;
        each.position.inFlight = false;
        await this.#received(each, byPartition.get(`${each.position.topic}/${each.position.partition}`));
      }
    } catch (error) {
      for (const { position, version } of asked) {
        if (position.version !== version) continue;
        position.inFlight = false;
        if (error instanceof RetriableError) this.#again(position, true);
        else this.#fail(position, error as Error);
      }
    }
    broker.busy = false;
    this.#wake?.();
  }

  async #received({ position, offset }: Asked, result: FetchResult | undefined): Promise<void> {
    const { topic, partition } = position;
    const doing = `consumer "${this.#clientId}", topic "${topic}", partition ${partition}: fetching at offset ${offset}`;
    if (result === undefined) return this.#again(position, true);
    const { errorCode, records, highWatermark, aborted } = result;
    if (errorCode === codes.offsetOutOfRange) return this.#reset(position, result);
    if (errorCode !== codes.none) {
      if (passing.has(errorCode)) this.#again(position, staleMetadata.has(errorCode));
      else this.#fail(position, brokerError(errorCode, doing));
      return;
    }
    position.failures = 0;
    if (records.length === 0) return;
    try {
      const readCommitted = this.#settings.isolation === 'read_committed';
      const { length, nextOffset } = keepVisible(records, readCommitted ? aborted : undefined, this.#settings.checkCrcs);
      if (nextOffset === undefined || nextOffset <= offset) return;
      position.asked = nextOffset;
      const run = { topic, partition, buffer: records.buffer, length, position: offset, nextPosition: nextOffset, highWatermark };
      this.#ready.push({ position, version: position.version, run });
      this.positions.moveToEnd(position);
    } catch (error) {
      this.#fail(position, new ConnectError(`${doing}: ${(error as Error).message}.`, { cause: error }));
    }
  }

  async #reset(position: Position, { logStartOffset, highWatermark }: FetchResult): Promise<void> {
    const { version, topic, partition, asked } = position;
    try {
      const offset = await this.#outOfRange({ topic, partition, offset: asked }, logStartOffset, highWatermark);
      if (position.version !== version) return;
      // What was fetched ahead, and is still to be given out, stands before this.
      if (position.delivered === asked) position.delivered = offset;
      position.asked = offset;
    } catch (error) {
      this.#fail(position, error as Error);
    }
  }

  #again(position: Position, stale: boolean): void {
    position.failures++;
    position.retryAt = Date.now() + backoffMs(this.#cluster.network.retry, position.failures);
    if (!stale) return;
    this.#stale.add(position.topic);
    if (!this.#refreshing) void this.#refresh();
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    try {
      const topics = [...this.#stale];
      this.#stale.clear();
      await this.#cluster.refresh(topics, this.#settings.autoCreateTopics);
      this.#checkAccess(topics);
      // A first question need not wait once the leader is known; a leader that refused is not asked again at once.
      for (const position of this.positions) {
        if (position.failures <= 1 && this.#cluster.leaderOf(position.topic, position.partition) !== undefined) position.retryAt = 0;
      }
    } catch (error) {
      // An outage is waited out; what only a person can mend is told.
      if (!(error instanceof RetriableError)) for (const position of this.positions) this.#fail(position, error as Error);
    }
    this.#refreshing = false;
    if (this.#stale.size > 0 && !this.#closed) void this.#refresh();
    this.#wake?.();
  }

  #checkAccess(topics: readonly string[]): void {
    for (const position of this.positions) {
      const code = topics.includes(position.topic) ? (this.#cluster.topic(position.topic)?.errorCode ?? codes.none) : codes.none;
      if (code === codes.none || passing.has(code)) continue;
      this.#fail(position, brokerError(code, `consumer "${this.#clientId}", topic "${position.topic}"`));
    }
  }

  /** Told once, by the next `fetch`; the one after it asks again. */
  #fail(position: Position, error: Error): void {
    rewind(position);
    this.#failure ??= { error, position, version: position.version };
    this.#wake?.();
  }

  #soonestRetryMs(): number {
    const now = Date.now();
    let soonest = 60_000;
    for (const { retryAt, paused, inFlight } of this.positions) {
      if (!paused && !inFlight && retryAt > now) soonest = Math.min(soonest, retryAt - now);
    }
    return soonest;
  }

  #woken(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(1, ms));
      signal?.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
