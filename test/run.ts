/**
 * Runs tests: `node test/run.ts [SUITE…] [PART OF A PATH…] [--full]`. Without arguments, all of them.
 *
 * The servers that they need are started once, and named in the environment; a test that needs one
 * of its own starts it. `--full` runs the chaos tests at their full length, and the `long` ones.
 *
 * In CI, where four files share two busy cores with a dozen servers, the few files in which something failed
 * run once more, alone: what fails twice is broken; what does not is named as unsteady, to be mended.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { startShared } from './services/share.ts';
import { servicesFor, suiteNames, suiteOf, testFiles } from './suites.ts';
import type { SuiteName } from './suites.ts';

/** A test that hangs is ended, so that the run ends, and says which. */
const longestTestMs = 15 * 60_000;

/** They wait more than they work: for brokers that are frozen, for servers that start. */
const filesAtOnce = 4;
/** More than so many files are not bad luck. */
const mostUnsteadyFiles = 4;
/** Later than this CI's time would not be enough to run them again. */
const latestSecondRunMs = 21 * 60_000;

const root = dirname(import.meta.dirname);
const args = process.argv.slice(2);
const wantedSuites = args.filter((arg): arg is SuiteName => suiteNames.some((name) => name === arg));
const wantedPaths = args.filter((arg) => !arg.startsWith('-') && !suiteNames.some((name) => name === arg));
const isFull = args.includes('--full');

const files = testFiles(root).filter(isWanted);
const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--full');
if (unknown !== undefined)
  fail(`${unknown} is unknown. Write: node test/run.ts [SUITE…] [PART OF A PATH…] [--full]; suites are ${suiteNames.join(', ')}.`);
else if (files.length === 0) fail(`No test matches ${args.join(' ')}. Suites are ${suiteNames.join(', ')}.`);
else process.exitCode = await runTests();

function isWanted(file: string): boolean {
  const suite = suiteOf(file);
  if (suite === undefined) return fail(`${file}: its suffix names no suite; see test/suites.ts`);
  const byDefault = suite !== 'long' || isFull || wantedPaths.length > 0;
  const inSuites = wantedSuites.length === 0 ? byDefault : wantedSuites.includes(suite);
  return inSuites && (wantedPaths.length === 0 || wantedPaths.some((part) => file.includes(part)));
}

async function runTests(): Promise<number> {
  const services = servicesFor(files);
  if (services.length > 0) console.log(`Starting ${services.join(' and ')} for ${files.length} test files …`);
  let shared;
  try {
    shared = await startShared(services);
  } catch (error) {
    return fail(`The tests could not be run, for a server could not be started.\n${text(error)}`);
  }
  await using _shared = shared;
  const env = { ...process.env, ...shared.env, ...(isFull ? { MILLRACE_CHAOS: 'full' } : {}) };
  const { code, failed } = await nodeTest(files, filesAtOnce, env);
  const mayRepeat = process.env['CI'] === 'true' && failed.length <= mostUnsteadyFiles && performance.now() < latestSecondRunMs;
  if (code === 0 || failed.length === 0 || failed.includes('?') || !mayRepeat) return code;
  const names = failed.map((file) => relative(root, file)).toSorted();
  console.log(`\n${files.length} files ran; these failed, and run once more, alone:\n${names.map((name) => `  ${name}\n`).join('')}`);
  const second = await nodeTest(names, 1, env);
  console.log(second.code === 0 ? `ℹ unsteady: failed at first, passed alone: ${names.join(', ')}` : 'ℹ failed twice');
  return second.code;
}

/** Runs these files, so many at once; resolves with those in which something failed. */
async function nodeTest(
  paths: readonly string[],
  concurrency: number,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly failed: readonly string[] }> {
  const timeout = isFull ? [] : [`--test-timeout=${longestTestMs}`];
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-run-'));
  const failedFiles = join(folder, 'failed');
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-reporter=${pathToFileURL(join(root, 'test', 'reporter.ts')).href}`,
      '--test-reporter-destination=stdout',
      `--test-concurrency=${concurrency}`,
      '--disable-warning=ExperimentalWarning',
      ...timeout,
      ...paths,
    ],
    { cwd: root, env: { ...env, MILLRACE_FAILED_FILES: failedFiles }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  // Node ends its test processes on these; afterwards the servers are stopped as ever.
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass);
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => resolve(fail(text(error))));
  child.once('close', (code) => resolve(code ?? 1));
  const code = await promise;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass);
  const failed = existsSync(failedFiles) ? readFileSync(failedFiles, 'utf8').split('\n').filter(Boolean) : [];
  rmSync(folder, { recursive: true, force: true });
  return { code, failed };
}

/** Says so in the words of the test runner, since that is what readers of the last lines look for. */
function fail(message: string): never {
  console.error(message);
  console.log('ℹ tests 1\nℹ suites 0\nℹ pass 0\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0');
  process.exit(1);
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
