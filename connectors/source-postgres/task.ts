/** The task: a snapshot if need be, then the stream, through lost connections, into one queue. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConfigError } from '@millrace/runtime/api';
import type { OffsetMap, SourcePosition, SourceTask, SourceTaskContext } from '@millrace/runtime/api';

import { readTable } from './catalog.ts';
import type { Config } from './config.ts';
import { createConfirmation } from './confirmation.ts';
import { createConnector, endClient } from './connection.ts';
import { explain, mayPass } from './errors.ts';
import { commitOffset, readOffset } from './offsets.ts';
import type { Relation } from './pgoutput/messages.ts';
import { planStart, startOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { ensurePublication } from './publication.ts';
import { RecordQueue } from './queue.ts';
import { recordContext } from './records.ts';
import { createLayoutCache } from './relations.ts';
import { setIdentities } from './replica-identity.ts';
import { startReplication } from './replication.ts';
import type { Replication } from './replication.ts';
import { createReselect } from './reselect.ts';
import type { Reselect } from './reselect.ts';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { openDesk } from './signals/open-desk.ts';
import { channelWarnings } from './signals/signal-settings.ts';
import { checkServer, createSlot, dropSlot, findSlot } from './slot.ts';
import { snapshotWithSlot } from './snapshot-slot.ts';
import { heartbeatRecord } from './special-records.ts';
import { watchXmin } from './slot-xmin.ts';
import type { SlotXmin } from './slot-xmin.ts';
import { SqlLink } from './sql-link.ts';
import { StreamDecoder } from './stream.ts';
import type { StreamStart } from './stream.ts';
import { publishedTables } from './tables.ts';
import { heartbeatTopic } from './topics.ts';
import { unsupportedKeys } from './unsupported.ts';

const firstWaitMs = 500;
/** The server may sync on each confirmation: so often is enough. */
const reportEveryMs = 1_000;

export async function startTask(config: Config, taskContext: SourceTaskContext, version: string): Promise<SourceTask> {
  const { log, rawConfig } = taskContext;
  const settings = readSettings(config, rawConfig);
  for (const { message } of unsupportedKeys(rawConfig).ignored) log.warn(message);
  for (const warning of channelWarnings(config)) log.warn(warning);
  for (const note of settings.selectOverrides.notes) log.warn(note);
  if (config['plugin.name'] !== 'pgoutput')
    log.warn(`plugin.name is ${config['plugin.name']}: pgoutput is used all the same, nothing else is supported`);

  const connector = createConnector(config);
  await using starting = new AsyncDisposableStack();
  const sql = starting.use(new SqlLink(connector));
  const [offset] = await taskContext.offsets([{ server: settings.topicPrefix }]);
  const plan = await sql
    .use(async (client): Promise<Plan> => {
      const withSlot = settings.snapshotMode !== 'initial_only';
      if (withSlot) await checkServer(client, config['database.user']);
      const planned = planStart(settings, readOffset(offset), withSlot ? await findSlot(client, settings) : undefined, log);
      const tables = await publishedTables(client, settings);
      if (tables.length === 0) log.warn('no table matches the filters: nothing will be captured until one is created');
      if (withSlot) await setIdentities(client, settings.identities, tables, log);
      if (withSlot) await ensurePublication(client, settings, tables, log);
      return planned;
    })
    .catch((error: unknown) => {
      throw explain(error, `start reading from ${connector.address}`);
    });

  const names = { version, server: settings.topicPrefix, database: settings.database };
  const queue = new RecordQueue(settings);
  const context = recordContext(settings.topicPrefix, taskContext.task, settings.contextHeaders);
  const stopping = new AbortController();
  const signals = openDesk({ settings, names, queue, context, connector, log, offset }, taskContext, stopping.signal);
  const reselect = createReselect(settings.reselections, sql, log);
  const engine = new Engine({
    ...{ settings, names, queue, context, connector, sql, log, reselect, offset },
    ...signals,
    signal: stopping.signal,
  });
  const running = engine.run(plan).catch((error: unknown) => {
    if (!stopping.signal.aborted) queue.fail(explain(error, `read from ${connector.address}`));
  });
  starting.move();

  return {
    async poll(signal) {
      const records = await queue.take(Math.min(settings.pollIntervalMs, 1_000), signal);
      const last = records.at(-1);
      if (last !== undefined) engine.confirmation.handedOver(last.sourceOffset);
      return reselect === undefined ? records : reselect.fill(records);
    },
    committed(positions) {
      engine.committed(positions);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await engine.stop();
      await running;
      await signals.desk.close();
      if (settings.slotDropOnStop)
        await sql.use((client) => dropSlot(client, settings.slot)).catch((error: unknown) => log.warn(String(error)));
      await sql[Symbol.asyncDispose]();
    },
  };
}

interface EngineParts extends ReturnType<typeof openDesk> {
  readonly settings: Settings;
  readonly names: { readonly version: string; readonly server: string; readonly database: string };
  readonly queue: RecordQueue;
  readonly context: ReturnType<typeof recordContext>;
  readonly connector: ReturnType<typeof createConnector>;
  readonly sql: SqlLink;
  readonly reselect: Reselect | undefined;
  readonly log: SourceTaskContext['log'];
  readonly offset: OffsetMap | undefined;
  readonly signal: AbortSignal;
}

class Engine {
  readonly confirmation;
  readonly #parts: EngineParts;
  readonly #layouts;
  #stream: { readonly decoder: StreamDecoder; readonly replication: Replication } | undefined;
  #reportedAt = 0;
  #xmin: SlotXmin | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.confirmation = createConfirmation(parts.settings.heartbeatIntervalMs > 0);
    this.#layouts = createLayoutCache(parts.settings, parts.names, parts.log);
  }

  async run(plan: Plan): Promise<void> {
    const { settings, connector, log, sql } = this.#parts;
    if (plan.kind === 'idle') return;
    if (plan.kind === 'stream') {
      this.#parts.notifier.initial('SKIPPED', {}, this.#parts.offset ?? {});
      if (plan.createSlot) {
        const client = await connector.connectReplication();
        await createSlot(client, settings.slot, { temporary: false, failover: settings.slotFailover }).finally(() => endClient(client));
        log.info(`replication slot "${settings.slot}" was created`);
      }
      return this.#streamOn(plan.start);
    }
    if (settings.snapshotDelayMs > 0) await this.#pause(settings.snapshotDelayMs);
    const lsn = await this.#retrying('snapshot', () => snapshotWithSlot(this.#parts, plan.only));
    if (plan.only || lsn === undefined) return;
    const slot = await this.#retrying('look up the slot', () => sql.use((client) => findSlot(client, settings)));
    if (slot === undefined)
      throw new ConfigError(`replication slot "${settings.slot}" was dropped during the snapshot.`, { hint: 'Restart the connector.' });
    return this.#streamOn(startOf({ phase: 'streaming', from: lsn, lastCommit: undefined, last: undefined }, slot));
  }

  committed(positions: readonly SourcePosition[]): void {
    const { settings } = this.#parts;
    const mine = positions.find(({ partition }) => partition['server'] === settings.topicPrefix);
    if (mine === undefined) return;
    this.confirmation.stored(mine.offset);
    if (Date.now() - this.#reportedAt < reportEveryMs) return;
    this.#reportedAt = Date.now();
    this.#stream?.replication.report();
  }

  async stop(): Promise<void> {
    await this.#stream?.replication.close();
  }

  async #streamOn(from: StreamStart): Promise<void> {
    const { signal, settings, desk } = this.#parts;
    desk.start();
    const heartbeat = settings.heartbeatIntervalMs > 0 ? setInterval(() => this.#beat(), settings.heartbeatIntervalMs) : undefined;
    try {
      this.#xmin = await watchXmin(settings, this.#parts.sql, this.#parts.log);
      let position = from;
      const backoff = this.#backoff(`stream from replication slot "${settings.slot}"`);
      while (!signal.aborted) {
        const { error, reached } = await this.#session(position, backoff.reset);
        position = reached;
        if (signal.aborted) return;
        await backoff.wait(error);
      }
    } finally {
      clearInterval(heartbeat);
      this.#xmin?.[Symbol.dispose]();
    }
  }

  /** One connection's worth of stream. */
  async #session(position: StreamStart, onStarted: () => void): Promise<{ readonly error: unknown; readonly reached: StreamStart }> {
    const { settings, connector, queue, log, desk, signal } = this.#parts;
    const failed = Promise.withResolvers<Error>();
    const decoder = new StreamDecoder(
      { ...this.#parts, watch: desk, xmin: this.#xmin?.value, onRelation: (relation) => this.#relation(relation, decoder, failed.reject) },
      position,
    );
    failed.promise.catch(() => {});
    const confirmable = () => {
      if (!settings.flushLsn) return undefined;
      return this.confirmation.confirmable(decoder.inTransaction || !queue.isEmpty ? undefined : decoder.reached);
    };
    const started = (): void => {
      log.info(`streaming from replication slot "${settings.slot}"`);
      onStarted();
    };
    let replication: Replication | undefined;
    try {
      replication = await startReplication({ connector, settings, decoder, queue, confirmable, onStarted: started }, position.from);
      this.#stream = { decoder, replication };
      desk.attach(decoder, replication);
      if (signal.aborted) await replication.close();
      const error = await Promise.race([replication.ended, failed.promise]);
      return { error, reached: decoder.position() };
    } catch (error) {
      return { error, reached: decoder.position() };
    } finally {
      this.#stream = undefined;
      desk.detach();
      await replication?.close();
    }
  }

  /** Holds the stream until the catalog told what the relation's message leaves out. */
  #relation(relation: Relation, decoder: StreamDecoder, failed: (error: unknown) => void): void {
    const replication = this.#stream?.replication;
    replication?.hold();
    this.#parts.sql
      .use((client) =>
        readTable(
          client,
          relation.oid,
          relation.columns.map((column) => column.type),
        ),
      )
      .then((catalog) => {
        const layout = this.#layouts.layout(relation, catalog);
        this.#parts.desk.layoutChanged(relation, layout);
        decoder.setLayout(relation.oid, layout);
        replication?.release();
      })
      .catch((error: unknown) => failed(explain(error, `look up table ${relation.schema}.${relation.table}`)));
  }

  #beat(): void {
    const { settings, context, queue, sql, log } = this.#parts;
    if (settings.heartbeatQuery !== null) {
      const query = settings.heartbeatQuery;
      sql.use((client) => client.query(query)).catch((error: unknown) => log.warn(explain(error, 'run heartbeat.action.query').message));
    }
    const decoder = this.#stream?.decoder;
    if (decoder === undefined || queue.isFull) return;
    // Only between transactions does one LSN tell the whole position.
    if (decoder.inTransaction || decoder.position().last !== undefined || decoder.reached === 0) return;
    const offset = commitOffset(decoder.reached, decoder.lastTxId, decoder.lastUs);
    queue.push(heartbeatRecord(context, heartbeatTopic(settings), settings.topicPrefix, offset), 64);
  }

  async #retrying<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const backoff = this.#backoff(doing);
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.#parts.signal.throwIfAborted();
        await backoff.wait(explain(error, doing));
      }
    }
  }

  /** Waits longer and longer; throws an error that will not pass, or, for a slot that is in use, after so many tries. */
  #backoff(doing: string): { wait(error: unknown): Promise<void>; reset(): void } {
    const { settings, log } = this.#parts;
    let tries = 0;
    let busy = 0;
    return {
      reset: () => {
        tries = 0;
        busy = 0;
      },
      wait: async (found) => {
        const error = explain(found ?? new Error('Connection terminated by the server'), doing);
        if (!mayPass(error)) throw error;
        const inUse = /is active for PID/.test(error.message);
        if (inUse && ++busy > settings.slotMaxRetries) throw new ConfigError(error.message, { cause: error });
        tries++;
        const waitMs = inUse ? settings.slotRetryDelayMs : Math.min(firstWaitMs * 2 ** (tries - 1), settings.reconnectMaxMs);
        log.warn(`${error.message} Trying again in ${waitMs} ms (try ${tries}).`);
        await this.#pause(waitMs);
      },
    };
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#parts.signal });
  }
}
