/** Node's `spec` report, with the totals once more at the very end, and a list of the files in which something failed. */
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';
import type { TestEvent } from 'node:test/reporters';

const shown = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const;
const words: Partial<Record<string, string>> = { passed: 'pass', failed: 'fail' };

/** Where the run is told which files failed: one a line, and `?` where none is named. */
const { MILLRACE_FAILED_FILES: failedFilesPath } = process.env;

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let totals: string[] = [];
  let failed = false;
  const failedFiles = new Set<string>();
  async function* watched(): AsyncGenerator<TestEvent> {
    for await (const event of source) {
      // A test's own file may be a helper of the one that was run, which has a summary; one that broke down has none, and fails as a test.
      const brokeDown = event.type === 'test:fail' && event.data.nesting === 0 && event.data.line === 1 && event.data.column === 1;
      const failedInIt = event.type === 'test:summary' && event.data.file !== undefined && !event.data.success;
      if (brokeDown || failedInIt) failedFiles.add(event.data.file ?? '?');
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
  if (failed && failedFiles.size === 0) failedFiles.add('?');
  if (failedFilesPath !== undefined) writeFileSync(failedFilesPath, [...failedFiles].join('\n'));
}
