/** A start: what has to be there, what there is to do, and the task around it. */
import type { SourceTask, SourceTaskContext } from '@millrace/runtime/api';
import type { Config } from './config/config.ts';
import { createConnector } from './connection/connection.ts';
import { explain } from './connection/errors.ts';
import { readOffset } from './position/offsets.ts';
import { planStart } from './plan.ts';
import type { Plan } from './plan.ts';
import { ensurePublication } from './catalog/publication.ts';
import { RecordQueue } from './records/queue.ts';
import { recordContext } from './records/records.ts';
import { setIdentities } from './catalog/replica-identity.ts';
import { createReselect } from './records/reselect.ts';
import { readSettings } from './config/settings.ts';
import { openDesk } from './signals/open-desk.ts';
import { channelWarnings } from './config/signal-settings.ts';
import { checkServer, dropSlot, findSlot } from './slot/slot.ts';
import { SqlLink } from './connection/sql-link.ts';
import { createStatusNotes } from './status/status-notes.ts';
import { createStatusReport } from './status/status-report.ts';
import { publishedTables } from './catalog/tables.ts';
import { unsupportedKeys } from './config/unsupported.ts';
import { Engine } from './engine.ts';
import type { EngineParts } from './engine.ts';

export async function startTask(config: Config, taskContext: SourceTaskContext, version: string): Promise<SourceTask> {
  const { log, rawConfig } = taskContext;
  const settings = readSettings(config, rawConfig);
  for (const { message } of unsupportedKeys(rawConfig).ignored) log.warn(message);
  for (const note of [...settings.selectOverrides.notes, ...channelWarnings(config)]) log.warn(note);
  if (config['plugin.name'] !== 'pgoutput')
    log.warn(`plugin.name is ${config['plugin.name']}: pgoutput is used all the same, nothing else is supported`);

  const connector = createConnector(config);
  await using starting = new AsyncDisposableStack();
  const sql = starting.use(new SqlLink(connector));
  const [offset] = await taskContext.offsets([{ server: settings.topicPrefix }]);
  const plan = await sql
    .use(async (client): Promise<Plan> => {
      const withSlot = settings.snapshotRules.stream;
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
  const notes = createStatusNotes(taskContext.note?.bind(taskContext));
  const report = createStatusReport(taskContext.setReport?.bind(taskContext), settings);
  const setFigure: EngineParts['setFigure'] = (name, value, labels) => taskContext.setFigure?.(name, value, labels);
  const reselect = createReselect(settings.reselections, sql, log);
  const signal = stopping.signal;
  const signals = openDesk({ settings, names, queue, context, connector, log, offset }, taskContext, signal);
  const engine = new Engine({
    ...{ settings, names, queue, context, connector, sql, log, notes, report, setFigure, reselect, offset, signal },
    ...signals,
  });
  let failed = false;
  const running = engine.run(plan).catch((error: unknown) => {
    if (stopping.signal.aborted) return;
    failed = true;
    queue.fail(explain(error, `read from ${connector.address}`));
  });
  starting.move();

  return {
    async poll(signal) {
      const records = await queue.take(Math.min(settings.pollIntervalMs, 1_000), signal);
      return reselect === undefined ? records : reselect.fill(records);
    },
    position: () => engine.position(),
    committed: (positions) => engine.committed(positions),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await engine.stop();
      await running;
      await signals.desk.close();
      // As when it is stopped by wish alone: what failed has to find it again.
      if (settings.slotDropOnStop && taskContext.signal.aborted && !failed)
        await sql.use((client) => dropSlot(client, settings.slot)).catch((error: unknown) => log.warn(String(error)));
      await sql[Symbol.asyncDispose]();
    },
  };
}
