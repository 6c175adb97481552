/** Table to topic, beside Debezium: one reader, and several. */
import { measureRuns, measurementTable, whatWasRead } from './bench-site.ts';
import { mean, times } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';

export async function benchSnapshot({ rows, say }: PartOptions): Promise<PartResult> {
  const readers = (threads: number): Readonly<Record<string, string>> => ({ 'snapshot.max.threads': String(threads) });
  const results = await measureRuns(
    [
      { who: 'Millrace', reads: 'snapshot', label: 'Millrace, one reader' },
      { who: 'Debezium tuned', reads: 'snapshot', label: 'Debezium tuned' },
      { who: 'Millrace', reads: 'snapshot', label: 'Millrace, one reader, again' },
      { who: 'Millrace', reads: 'snapshot', label: 'Millrace, 2 readers', config: readers(2) },
      { who: 'Millrace', reads: 'snapshot', label: 'Millrace, 4 readers', config: readers(4) },
    ],
    rows,
    say,
  );
  const [first, tuned, second, two, four] = results.map((it) => it.rowsPerSecond) as [number, number, number, number, number];
  const one = mean([first, second]);
  const most = Math.max(two, four);
  return {
    lines: [
      '## Snapshot (table to topic)',
      '',
      `JSON without schemas, ${whatWasRead(rows)} Debezium's \`snapshot.max.threads\` reads several tables at once, and this is one.`,
      '',
      ...measurementTable(results, results[1]!, 'tuned'),
    ],
    targets: [
      { figure: 'snapshot rows/s, one reader', target: '≥ 4× tuned Debezium', measured: times(one / tuned), met: one / tuned >= 4 },
      {
        figure: 'snapshot rows/s, several readers',
        target: 'as much more as the machine gives',
        measured: `${times(two / one)} of one reader with 2, ${times(four / one)} with 4`,
        met: most >= one,
      },
    ],
  };
}
