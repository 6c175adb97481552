/** `npm run bench`: all of it in one run, and `docs/benchmarks.md` from what came out. `npm run bench -- --rows 300000` for a short look, which writes nothing. */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchDebezium } from './debezium.ts';
import { benchIdle, megabytes } from './idle.ts';
import type { IdleFigures } from './idle.ts';
import type { Measurement } from './measure.ts';

const { values } = parseArgs({ options: { rows: { type: 'string' } } });
const rows = Number(values.rows ?? 1_500_000);
const warmUpRows = Math.round(rows / 3);
const say = (line: string): void => console.log(line);

const { stream, snapshot } = await benchDebezium({ rows, warmUpRows }, say);
const idle = await benchIdle(say);
const report = [
  `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB,`,
  `Node ${process.versions.node}; server, broker and subject on the same cores. ${rows.toLocaleString('en')} rows of a table of six columns, committed`,
  `beforehand in transactions of 1,000, JSON without schemas, one partition; the clock starts after ${warmUpRows.toLocaleString('en')} rows, so that the JVM is warm.`,
  '',
  '## Streaming (WAL to topic)',
  '',
  ...tableOf(stream),
  '',
  '## Snapshot (table to topic, one reader)',
  '',
  ...tableOf(snapshot),
  '',
  '## Start, and memory while idle',
  '',
  ...idleTable(idle),
].join('\n');
console.log(`\n${report}`);
if (values.rows === undefined) await intoDocs(report);

function tableOf(measurements: readonly Measurement[]): string[] {
  const tuned = measurements.find(({ name }) => name.includes('tuned'))!;
  return [
    '| subject | rows/s | against tuned Debezium | CPU per row | peak RSS | against tuned Debezium |',
    '| --- | --- | --- | --- | --- | --- |',
    ...measurements.map(
      (it) =>
        `| ${it.name} | ${Math.round(it.rowsPerSecond).toLocaleString('en')} | ${(it.rowsPerSecond / tuned.rowsPerSecond).toFixed(2)}× | ` +
        `${it.cpuMicrosPerRow.toFixed(1)} µs | ${megabytes(it.peakRssBytes)} MB | ${(it.peakRssBytes / tuned.peakRssBytes).toFixed(2)}× |`,
    ),
  ];
}

function idleTable(figures: readonly IdleFigures[]): string[] {
  return [
    '| worker | start to REST ready | RSS without tasks | with 1 idle task | with 20 idle tasks |',
    '| --- | --- | --- | --- | --- |',
    ...figures.map(
      (it) =>
        `| ${it.name} | ${(it.readyAfterMs / 1000).toFixed(1)} s | ${megabytes(it.aloneBytes)} MB | ${megabytes(it.oneTaskBytes)} MB | ${megabytes(it.twentyTasksBytes)} MB |`,
    ),
  ];
}

/** Replaces what stands between the two marks. */
async function intoDocs(text: string): Promise<void> {
  const file = new URL('../docs/benchmarks.md', import.meta.url);
  const [before] = (await readFile(file, 'utf8')).split('<!-- figures -->');
  const after = (await readFile(file, 'utf8')).split('<!-- end of figures -->')[1];
  await writeFile(file, `${before}<!-- figures -->\n\n${text}\n\n<!-- end of figures -->${after}`);
}
