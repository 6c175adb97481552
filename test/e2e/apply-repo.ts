/** A folder of connector files, and what a test of `millrace apply` does with it and with the cluster. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { runCommand } from '../../runtime/cli/test/run-command.ts';
import type { CommandResult } from '../../runtime/cli/test/run-command.ts';

type Config = Readonly<Record<string, string>>;

interface Status {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string }[];
}

const marker = 'millrace.apply.owner';
export const sourceClass = 'org.apache.kafka.connect.file.FileStreamSourceConnector';
const sinkClass = 'org.apache.kafka.connect.file.FileStreamSinkConnector';

export type Repo = ReturnType<typeof repoIn>;

/** A folder of connector files, and what a test does with it and with the cluster. */
export function repoIn(folder: string, url: () => string, prefix: string) {
  const wanted = new Map<string, Config>();
  const name = (of: string): string => `${prefix}-${of}`;
  const data = join(folder, '.data');
  mkdirSync(data);

  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url() + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };

  /** The configs of the connectors that are the folder's, without its mark. */
  async function owned(): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const connector of await repo.ours()) {
      const { [marker]: owner, ...config } = (await call('GET', `/connectors/${connector}/config`).catch(() => ({}))) as Config;
      if (owner === repo.owner) found.set(connector, config);
    }
    return found;
  }

  const repo = {
    folder,
    data,
    /** The folder's name, unless it says another. */
    owner: folder.split('/').at(-1) ?? '',
    name,
    call,
    source: (topic: string, more: Readonly<Record<string, unknown>>) => ({
      'connector.class': sourceClass,
      file: join(data, 'in.txt'),
      topic: name(topic),
      ...more,
    }),
    sink: (topic: string, file: string) => ({ 'connector.class': sinkClass, topics: name(topic), file: join(data, file) }),
    write(file: string, value: Readonly<Record<string, unknown>>): void {
      const path = join(folder, file);
      mkdirSync(dirname(path), { recursive: true });
      const lines = Object.entries(value).map(([key, text]) => `${key}=${String(text)}\n`);
      writeFileSync(path, file.endsWith('.json') ? JSON.stringify(value, undefined, 2) : lines.join(''));
      const { config = value, name: connector } = value as { readonly config?: Readonly<Record<string, unknown>>; readonly name?: string };
      if (connector !== undefined) wanted.set(file, textsOf({ ...config, name: connector }));
    },
    remove(...files: readonly string[]): void {
      for (const file of files) {
        rmSync(join(folder, file), { recursive: true });
        for (const known of wanted.keys()) if (known === file || known.startsWith(`${file}/`)) wanted.delete(known);
      }
    },
    apply: (...args: readonly string[]): Promise<CommandResult> =>
      runCommand(['apply', folder, '--url', url(), '--timeout', '300s', ...args]),
    /** All connectors of the test's prefix, sorted. */
    async ours(): Promise<readonly string[]> {
      const names = (await call('GET', '/connectors').catch(() => [])) as readonly string[];
      return names.filter((connector) => connector.startsWith(`${prefix}-`)).toSorted();
    },
    status: (of: string) => call('GET', `/connectors/${name(of)}/status`) as Promise<Status>,
    /** Every file's config is the cluster's, and the folder's own connectors are those of the files alone. */
    async assertEqual(): Promise<void> {
      const expected = new Map([...wanted.values()].map((config) => [config['name'] ?? '', config] as const).toSorted());
      const giveUp = performance.now() + 10_000;
      // A worker learns a little later what another one wrote.
      while (!isDeepStrictEqual(await owned(), expected) && performance.now() < giveUp)
        await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(await owned(), expected);
    },
  };
  return repo;
}

const textsOf = (config: Readonly<Record<string, unknown>>): Config =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]));

/** Applies; then the cluster equals the folder, and a second run changes nothing. */
export async function changes(repo: Repo, todo: string, ...args: readonly string[]): Promise<CommandResult> {
  const result = await repo.apply(...args);
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.match(result.stdout, new RegExp(todo));
  await repo.assertEqual();
  const before = await configsOf(repo);
  const second = await repo.apply(...args);
  assert.deepEqual([second.code, second.stderr], [0, '']);
  assert.match(second.stdout, /Nothing to change\.\n$/);
  assert.equal((await repo.apply('--dry-run', ...args)).code, 0);
  assert.deepEqual(await configsOf(repo), before);
  return result;
}

/** Applies, which changes nothing at all. */
export async function unchanged(repo: Repo, ...args: readonly string[]): Promise<CommandResult> {
  const before = await configsOf(repo);
  const result = await repo.apply(...args);
  assert.deepEqual(await configsOf(repo), before);
  return result;
}

const configsOf = (repo: Repo): Promise<unknown> => repo.call('GET', '/connectors?expand=info');

export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await holds().catch(() => false))) {
    assert.ok(performance.now() < deadline, 'what was waited for did not come about');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
