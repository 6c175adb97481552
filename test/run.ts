/**
 * Runs tests: `node test/run.ts [SUITE…] [PART OF A PATH…] [--full]`. Without arguments, all of them.
 *
 * The servers that they need are started once, and named in the environment; a test that needs one
 * of its own starts it. `--full` runs the chaos tests at their full length.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { startShared } from './services/share.ts';
import { servicesFor, suiteNames, suiteOf, testFiles } from './suites.ts';
import type { SuiteName } from './suites.ts';

/** A test that hangs is ended, so that the run ends, and says which. */
const longestTestMs = 15 * 60_000;

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
  const inSuites = wantedSuites.length === 0 || wantedSuites.includes(suite);
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
  return await nodeTest({ ...process.env, ...shared.env, ...(isFull ? { MILLRACE_CHAOS: 'full' } : {}) });
}

function nodeTest(env: NodeJS.ProcessEnv): Promise<number> {
  const timeout = isFull ? [] : [`--test-timeout=${longestTestMs}`];
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-reporter=${pathToFileURL(join(root, 'test', 'reporter.ts')).href}`,
      '--test-reporter-destination=stdout',
      // They wait more than they work: for brokers that are frozen, for servers that start.
      '--test-concurrency=3',
      '--disable-warning=ExperimentalWarning',
      ...timeout,
      ...files,
    ],
    { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  // Node ends its test processes on these; afterwards the servers are stopped as ever.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => resolve(fail(text(error))));
  child.once('close', (code) => resolve(code ?? 1));
  return promise;
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
