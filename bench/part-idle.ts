/** Start, and what a worker holds while nothing happens. */
import { benchIdle } from './idle.ts';
import { megabytes, table } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';

export async function benchStart({ say }: PartOptions): Promise<PartResult> {
  const figures = await benchIdle(say);
  return {
    lines: [
      '## Start, and memory while idle',
      '',
      ...table(
        ['worker', 'start to REST ready', 'RSS without tasks', 'with 1 idle task', 'with 20 idle tasks'],
        figures.map((it) => [
          it.name,
          `${(it.readyAfterMs / 1000).toFixed(1)} s`,
          ...[it.aloneBytes, it.oneTaskBytes, it.twentyTasksBytes].map((bytes) => `${megabytes(bytes)} MB`),
        ]),
      ),
    ],
    targets: [],
  };
}
