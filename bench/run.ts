/**
 * `npm run bench`: all parts in one run, each of which writes its figures into `docs/benchmarks.md` when it is done.
 *
 * `npm run bench -- stream latency` runs these parts only, and leaves the figures of the others as they are.
 * `--rows 300000`, `--seconds 5`, `--seed-rows 300000` for a short look, which writes nothing unless `--write` is given.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { writePart } from './docs-parts.ts';
import { benchConversions } from './part-conversions.ts';
import { benchLatency } from './part-latency.ts';
import { benchLimits } from './part-limits.ts';
import { benchSeed } from './part-seed.ts';
import { benchSnapshot } from './part-snapshot.ts';
import { benchStart } from './part-idle.ts';
import { benchStream } from './part-stream.ts';
import { table } from './part.ts';
import type { Part } from './part.ts';

const parts: Readonly<Record<string, Part>> = {
  stream: benchStream,
  snapshot: benchSnapshot,
  latency: benchLatency,
  conversions: benchConversions,
  seed: benchSeed,
  limits: benchLimits,
  idle: benchStart,
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, seconds: { type: 'string' }, 'seed-rows': { type: 'string' }, write: { type: 'boolean' } },
});
const order = Object.keys(parts);
const unknown = positionals.find((name) => parts[name] === undefined);
if (unknown !== undefined) throw new Error(`there is no part "${unknown}": ${order.join(', ')}`);
const short = values.rows !== undefined || values.seconds !== undefined || values['seed-rows'] !== undefined;
const options = {
  rows: Number(values.rows ?? 1_500_000),
  seconds: Number(values.seconds ?? 20),
  seedRows: Number(values['seed-rows'] ?? 4_000_000),
  say: (line: string): void => console.log(line),
};
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
const failed: string[] = [];

for (const name of positionals.length === 0 ? order : positionals) {
  const begin = performance.now();
  console.log(`\n— ${name}`);
  try {
    const { lines, targets } = await parts[name]!(options);
    const [heading = '', ...rest] = lines;
    const made = `\`npm run bench -- ${name}\`, ${new Date().toISOString().slice(0, 10)}: ${machine}; server, broker and subject on the same cores.`;
    const result = { lines: [heading, '', made, ...rest], targets };
    console.log(`\n${result.lines.join('\n')}\n`);
    for (const line of table(
      ['figure', 'target', 'measured', ''],
      targets.map((it) => [it.figure, it.target, it.measured, it.met ? 'met' : 'missed']),
    ))
      if (targets.length > 0) console.log(line);
    if (!short || values.write) await writePart(order, name, result);
  } catch (error) {
    // The other parts are still worth their time.
    failed.push(name);
    console.error(error);
  }
  console.log(`— ${name}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}; run them again with \`npm run bench -- ${failed.join(' ')}\``);
  process.exitCode = 1;
}
