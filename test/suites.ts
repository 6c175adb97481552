import { globSync } from 'node:fs';

import type { ServiceName } from './services/share.ts';

/** What a test needs, by the suffix of its file: `x.test.ts` nothing, `x.pg.test.ts` PostgreSQL, and so on. */
export const suites = {
  unit: { suffix: '', needs: [] },
  check: { suffix: 'check', needs: [] },
  pg: { suffix: 'pg', needs: ['postgres'] },
  kafka: { suffix: 'kafka', needs: ['kafka'] },
  java: { suffix: 'java', needs: [] },
  elastic: { suffix: 'elastic', needs: ['elasticsearch'] },
  s3: { suffix: 's3', needs: ['s3'] },
  e2e: { suffix: 'e2e', needs: ['postgres', 'kafka'] },
  compat: { suffix: 'compat', needs: ['postgres', 'kafka'] },
  chaos: { suffix: 'chaos', needs: ['postgres', 'kafka'] },
  /** With `--full` alone, or when asked for by name: they take minutes of two cores. */
  long: { suffix: 'long', needs: ['postgres', 'kafka'] },
} as const satisfies Record<string, { suffix: string; needs: readonly ServiceName[] }>;

export type SuiteName = keyof typeof suites;

export const suiteNames = Object.keys(suites) as SuiteName[];

const notOurs = ['node_modules', 'dist', 'millrace-data', '.git'];

/** Every test file, relative to `root`, in a stable order. The one glob by which tests are found. */
export const testFiles = (root: string): string[] => ourFiles(root, '**/*.test.ts');

/** Our own files that match, relative to `root`, sorted. */
export function ourFiles(root: string, pattern: string): string[] {
  const found = globSync(pattern, { cwd: root, exclude: (name) => notOurs.includes(name) });
  return found.map((file) => file.replaceAll('\\', '/')).toSorted();
}

/** The suite of a test file; undefined when its suffix is unknown. `reader.pg.test.ts` belongs to `pg`. */
export function suiteOf(file: string): SuiteName | undefined {
  const suffix = /(?:\.([^./]+))?\.test\.ts$/.exec(file)?.[1] ?? '';
  return suiteNames.find((name) => suites[name].suffix === suffix);
}

/** The services that any of the files needs. */
export function servicesFor(files: readonly string[]): ServiceName[] {
  const needed = files.flatMap((file) => suites[suiteOf(file) ?? 'unit'].needs);
  return [...new Set<ServiceName>(needed)];
}
