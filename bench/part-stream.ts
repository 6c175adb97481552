/** WAL to topic, beside Debezium; Millrace twice, as the A/A control. */
import { measureRuns, measurementTable, whatWasRead } from './bench-site.ts';
import { mean, percent, times } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';

export async function benchStream({ rows, say }: PartOptions): Promise<PartResult> {
  const results = await measureRuns(
    [
      { who: 'Millrace', reads: 'stream', label: 'Millrace' },
      { who: 'Debezium tuned', reads: 'stream', label: 'Debezium tuned' },
      { who: 'Millrace', reads: 'stream', label: 'Millrace, again' },
      { who: 'Debezium as shipped', reads: 'stream', label: 'Debezium as shipped' },
    ],
    rows,
    say,
  );
  const [first, tuned, second] = results as [(typeof results)[0], (typeof results)[0], (typeof results)[0]];
  const ours = [first, second];
  const speed = mean(ours.map((it) => it.rowsPerSecond)) / tuned.rowsPerSecond;
  const sender = mean(ours.map((it) => it.senderShare ?? 0));
  const cpu = mean(ours.map((it) => it.cpuMicrosPerRow)) / tuned.cpuMicrosPerRow;
  const memory = Math.max(...ours.map((it) => it.peakRssBytes)) / tuned.peakRssBytes;
  return {
    lines: [
      '## Streaming (WAL to topic)',
      '',
      `JSON without schemas, ${whatWasRead(rows)}`,
      '',
      ...measurementTable(results, tuned, 'tuned'),
    ],
    targets: [
      {
        figure: 'streaming rows/s',
        target: '≥ 4× tuned Debezium, or the WAL sender at 95 % of a core',
        measured: `${times(speed)}, WAL sender at ${percent(sender)}`,
        met: speed >= 4 || sender >= 0.95,
      },
      { figure: 'CPU for each row', target: '≤ 1/6 of tuned Debezium', measured: `1/${(1 / cpu).toFixed(1)}`, met: cpu <= 1 / 6 },
      { figure: 'peak RSS', target: '≤ 1/4 of tuned Debezium', measured: `1/${(1 / memory).toFixed(1)}`, met: memory <= 1 / 4 },
    ],
  };
}
