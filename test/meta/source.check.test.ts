import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = dirname(dirname(import.meta.dirname));
const bin = join(root, 'node_modules', '.bin');

/** The parts of `npm run check`, so that the one run of all tests counts them. */
const checks: readonly [name: string, command: string, ...args: string[]][] = [
  ['format', join(bin, 'oxfmt'), '--check'],
  ['lint', join(bin, 'oxlint')],
  ['types', join(bin, 'tsc'), '-p', '.'],
  ['import law', process.execPath, 'build/import-law.ts'],
];

for (const [name, command, ...args] of checks) {
  test(name, async () => {
    try {
      await promisify(execFile)(command, args, { cwd: root, maxBuffer: 1 << 26 });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command} ${args.join(' ')} found:\n${stdout}${stderr}`);
    }
  });
}
