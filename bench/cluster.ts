/**
 * A cluster's figures beside Kafka Connect's, in one run: start, memory while idle, how soon a dead worker's tasks run
 * elsewhere, how soon a fourth worker has its share of 100 tasks. `node bench/cluster.ts`; the tables go to
 * docs/benchmarks.md with `--write`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTopics } from './cluster-topics.ts';
import { ask, putConnector, runningTasks, subjects, timeUntil, workerId } from './cluster-worker.ts';
import type { ClusterWorker, Subject } from './cluster-worker.ts';
import { megabytes } from './idle.ts';
import { rssBytes } from './proc.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import { startKafka } from '../test/services/kafka.ts';

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
/** Long enough for what a start leaves behind to be given back. */
const settleMs = 10_000;
const idleTasks = 20;
const sinkConnectors = 10;
const tasksEach = 10;

interface Figures {
  readonly name: string;
  readonly readyMs: number;
  readonly firstTaskMs: number;
  readonly idleBytes: number;
  readonly postgresBytes: number;
  readonly failoverMs: number;
  readonly joinMs: number;
  readonly fourthReadyMs: number;
}

await using kafka = await startKafka({ private: true });
await using postgres = await startPostgres({ flags: ['-c', 'max_replication_slots=60', '-c', 'max_wal_senders=60'], auth: 'trust' });
const results: Figures[] = [];
for (const subject of subjects(kafka.brokers)) results.push(await measure(subject));
const report = tableOf(results);
console.log(`\n${report}`);
if (values.write) await intoDocs(report);

async function measure(subject: Subject): Promise<Figures> {
  const id = `${subject.name.toLowerCase().replace(/\W/g, '')}${Date.now().toString(36)}`;
  // The first start fills what is kept between starts (compiled code; the JVM's has none).
  if (subject.name === 'Millrace') await (await subject.start(`${id}-warm`))[Symbol.asyncDispose]();
  const memory = await memoryFigures(subject, id);
  const failoverMs = await failover(subject, id);
  const join = await fourthWorker(subject, id);
  const figures = { name: subject.name, ...memory, failoverMs, ...join };
  console.log(JSON.stringify(figures));
  return figures;
}

async function memoryFigures(subject: Subject, id: string) {
  await using database = await createDatabase(postgres, 'idle');
  await using worker = await subject.start(`${id}-memory`);
  await sleep(settleMs);
  const idleBytes = rssBytes(worker.pid);
  const begin = performance.now();
  const config = (n: number) => ({
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'topic.prefix': `${id}-${n}`,
    'plugin.name': 'pgoutput',
    'slot.name': `${id.replace(/\W/g, '_')}_${n}`,
    'publication.name': `${id.replace(/\W/g, '_')}`,
    'snapshot.mode': 'no_data',
  });
  await putConnector(worker.url, 'idle-0', config(0));
  await timeUntil('the first task runs', async () => (await runningTasks(worker.url)).size === 1);
  const firstTaskMs = worker.readyAfterMs + (performance.now() - begin);
  for (let n = 1; n < idleTasks; n++) await putConnector(worker.url, `idle-${n}`, config(n));
  await timeUntil('all idle tasks run', async () => (await runningTasks(worker.url)).size === idleTasks);
  await sleep(settleMs);
  const postgresBytes = rssBytes(worker.pid);
  for (let n = 0; n < idleTasks; n++) await ask(`${worker.url}/connectors/idle-${n}`, { method: 'DELETE' });
  return { readyMs: worker.readyAfterMs, firstTaskMs, idleBytes, postgresBytes };
}

function sink(topic: string, tasks: number): Record<string, string> {
  return {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    'tasks.max': String(tasks),
    topics: topic,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  };
}

async function failover(subject: Subject, id: string): Promise<number> {
  await using cluster = await startCluster(subject, `${id}-failover`, 2);
  const topic = `${id}-failover-topic`;
  await createTopics(kafka.brokers, [{ topic, partitions: 10 }]);
  const [first, second] = cluster.workers as [ClusterWorker, ClusterWorker];
  await putConnector(first.url, 'sinks', sink(topic, 10));
  await timeUntil('both run tasks', async () => {
    const owners = [...(await runningTasks(first.url)).values()];
    return owners.length === 10 && owners.filter((owner) => owner === workerId(second)).length === 5;
  });
  await second.kill('SIGKILL');
  // Awaited here: the cluster is disposed of when the function returns.
  return await timeUntil('all run on the one that is left', async () => {
    const owners = [...(await runningTasks(first.url)).values()];
    return owners.length === 10 && owners.every((owner) => owner === workerId(first));
  });
}

async function fourthWorker(subject: Subject, id: string): Promise<{ joinMs: number; fourthReadyMs: number }> {
  await using cluster = await startCluster(subject, `${id}-join`, 3);
  const [first] = cluster.workers as [ClusterWorker];
  for (let n = 0; n < sinkConnectors; n++) {
    const topic = `${id}-join-${n}`;
    await createTopics(kafka.brokers, [{ topic, partitions: tasksEach }]);
    await putConnector(first.url, `sinks-${n}`, sink(topic, tasksEach));
  }
  const all = sinkConnectors * tasksEach;
  const counts = async (): Promise<readonly number[]> => {
    const owners = Map.groupBy((await runningTasks(first.url)).values(), (owner) => owner);
    return [...owners.values()].map((tasks) => tasks.length);
  };
  const balancedOver = async (workers: number): Promise<boolean> => {
    const now = await counts();
    return now.length === workers && now.reduce((sum, count) => sum + count, 0) === all && Math.max(...now) - Math.min(...now) <= 1;
  };
  await timeUntil('three share 100 tasks', () => balancedOver(3), 300_000);
  await using fourth = await subject.start(`${id}-join`);
  const joinMs = await timeUntil('four share 100 tasks', () => balancedOver(4), 300_000);
  return { joinMs, fourthReadyMs: fourth.readyAfterMs };
}

async function startCluster(subject: Subject, group: string, count: number) {
  await using stack = new AsyncDisposableStack();
  const workers: ClusterWorker[] = [];
  for (let n = 0; n < count; n++) workers.push(stack.use(await subject.start(group)));
  const moved = stack.move();
  return { workers, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

function tableOf(results: readonly Figures[]): string {
  const rows: readonly [string, (it: Figures) => string][] = [
    ['process start to REST ready', ({ readyMs }) => seconds(readyMs)],
    ['process start to first task RUNNING', ({ firstTaskMs }) => seconds(firstTaskMs)],
    ['RSS of an idle worker', ({ idleBytes }) => `${megabytes(idleBytes)} MB`],
    [`RSS with ${idleTasks} idle PostgreSQL tasks`, ({ postgresBytes }) => `${megabytes(postgresBytes)} MB`],
    ['kill -9 of one of two workers until its tasks run on the other (session 10 s, delay 3 s)', ({ failoverMs }) => seconds(failoverMs)],
    ['fourth worker: process start to REST ready', ({ fourthReadyMs }) => seconds(fourthReadyMs)],
    ['fourth worker: from there until 100 tasks are shared by four', ({ joinMs }) => seconds(joinMs)],
  ];
  const ratio = (figure: (it: Figures) => string): string => {
    const [ours, theirs] = results.map((it) => Number.parseFloat(figure(it))) as [number, number];
    return `${(ours / theirs).toFixed(2)}×`;
  };
  return [
    `| figure | ${results.map(({ name }) => name).join(' | ')} | ratio |`,
    `| --- | ${results.map(() => '---').join(' | ')} | --- |`,
    ...rows.map(([what, figure]) => `| ${what} | ${results.map(figure).join(' | ')} | ${ratio(figure)} |`),
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Replaces what stands between the two marks. */
async function intoDocs(text: string): Promise<void> {
  const file = new URL('../docs/benchmarks.md', import.meta.url);
  const doc = await readFile(file, 'utf8');
  const [before, rest = ''] = doc.split('<!-- cluster figures -->');
  const after = rest.split('<!-- end of cluster figures -->')[1] ?? '';
  await writeFile(file, `${before}<!-- cluster figures -->\n\n${text}\n\n<!-- end of cluster figures -->${after}`);
}
