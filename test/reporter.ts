/** Node's `spec` report, with the totals once more at the very end where failures come after them. */
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';
import type { TestEvent } from 'node:test/reporters';

const shown = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const;
const words: Partial<Record<string, string>> = { passed: 'pass', failed: 'fail' };

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let totals: string[] = [];
  let failed = false;
  async function* watched(): AsyncGenerator<TestEvent> {
    for await (const event of source) {
      // Each file has a summary; that of the whole run names none.
      if (event.type === 'test:summary' && event.data.file === undefined) {
        const { counts } = event.data;
        failed = !event.data.success;
        totals = shown.map((name) => `ℹ ${words[name] ?? name} ${counts[name as keyof typeof counts] ?? 0}\n`);
      }
      yield event;
    }
  }
  for await (const text of Readable.from(watched()).pipe(new spec())) yield String(text);
  if (failed) yield `\n${totals.join('')}`;
}
