/** What docs/migrating-from-kafka-connect.md takes for granted, and its commands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from '../chaos/until.ts';

/** Called by `systemctl start|stop NAME`. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface MigrationSite extends AsyncDisposable {
  /** Where the commands run. */
  readonly folder: string;
  /** Runs one block; its output. Throws when it ends with another code than 0. */
  run(block: string): Promise<string>;
  /** Resolves when the process whose id a block left in a file is gone. */
  ended(pidFile: string): Promise<void>;
  write(name: string, text: string): void;
}

const document = new URL('../../docs/migrating-from-kafka-connect.md', import.meta.url);
const bin = fileURLToPath(new URL('../../runtime/cli/bin.mjs', import.meta.url));

/** The document's commands, in order, with the heading that each stands under. */
export function commands(): { readonly heading: string; readonly block: string }[] {
  let heading = '';
  return [...readFileSync(document, 'utf8').matchAll(/^## (.*)$|^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, title, block]) => {
    if (title !== undefined) heading = title;
    return block === undefined ? [] : [{ heading, block }];
  });
}

/** `ports`: what stands in place of the document's. */
export async function openSite(services: Readonly<Record<string, Service>>, ports: Readonly<Record<string, number>>): Promise<MigrationSite> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-migration-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const manager = createServer((request, response) => {
    const [, verb = '', name = ''] = (request.url ?? '').split('/');
    const service = services[name];
    const done = service === undefined ? Promise.reject(new Error(`no service ${name}`)) : verb === 'stop' ? service.stop() : service.start();
    done.then(
      () => response.end(),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  manager.listen(0, '127.0.0.1');
  await once(manager, 'listening');
  const { port } = manager.address() as AddressInfo;
  const shims = mkdtempSync(join(tmpdir(), 'millrace-shims-'));
  const shim = (name: string, line: string): void => writeFileSync(join(shims, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  shim('millrace', `exec "${process.execPath}" "${bin}" "$@"`);
  shim('systemctl', `exec curl -sS --fail-with-body --max-time 300 -X POST "http://127.0.0.1:${port}/$1/$2"`);

  const pids = (): number[] => globSync(join(folder, '*.pid')).map((file) => Number(readFileSync(file, 'utf8')));
  async function run(block: string): Promise<string> {
    const text = Object.entries(ports).reduce((all, [written, used]) => all.replaceAll(written, String(used)), block);
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', text], {
      cwd: folder,
      env: { ...process.env, PATH: `${shims}${delimiter}${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
    // Not `close`: what it leaves running must not be waited for.
    const [code] = (await once(shell, 'exit')) as [number | null];
    const said = Buffer.concat(output).toString();
    if (code !== 0) throw new Error(`exit code ${code}:\n${text}\n${said}\n${logs(folder)}`);
    return said;
  }
  return {
    folder,
    write,
    run,
    ended: (pidFile) => {
      const pid = Number(readFileSync(join(folder, pidFile), 'utf8'));
      return until(`${pidFile} is gone`, () => !lives(pid));
    },
    async [Symbol.asyncDispose]() {
      for (const pid of pids()) if (lives(pid)) process.kill(pid, 'SIGKILL');
      manager.closeAllConnections();
      manager.close();
      for (const each of [folder, shims]) rmSync(each, { recursive: true, maxRetries: 5 });
    },
  };
}

function logs(folder: string): string {
  return globSync(join(folder, '*.log'))
    .map((file) => `${file}:\n${readFileSync(file, 'utf8').slice(-3_000)}`)
    .join('\n');
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
