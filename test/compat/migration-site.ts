/** What docs/migrating-from-kafka-connect.md takes for granted, and its commands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Called by `systemctl start|stop NAME`. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface MigrationSite extends AsyncDisposable {
  /** Where the commands run. */
  readonly folder: string;
  /** Runs one block in the shell that all of them share; its output. Throws when a command fails, after which no other can run. */
  run(block: string): Promise<string>;
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
export async function openSite(
  services: Readonly<Record<string, Service>>,
  ports: Readonly<Record<string, number>>,
): Promise<MigrationSite> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-migration-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const manager = createServer((request, response) => {
    const [, verb = '', name = ''] = (request.url ?? '').split('/');
    const service = services[name];
    const done =
      service === undefined ? Promise.reject(new Error(`no service ${name}`)) : verb === 'stop' ? service.stop() : service.start();
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

  // One shell for all, as a person would have it, in a process group of its own with what it starts.
  const shell = spawn('bash', ['-euo', 'pipefail'], {
    cwd: folder,
    env: { ...process.env, PATH: `${shims}${delimiter}${process.env['PATH'] ?? ''}` },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = once(shell, 'close');
  shell.once('exit', () => kill(shell.pid));
  shell.stdin.on('error', () => {});
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  let steps = 0;

  async function run(block: string): Promise<string> {
    const text = Object.entries(ports).reduce((all, [written, used]) => all.replaceAll(written, String(used)), block);
    const done = `-- done with step ${++steps} --`;
    said = '';
    shell.stdin.write(`${text}echo '${done}'\n`);
    const over = Promise.withResolvers<void>();
    const look = (): void => void (said.includes(done) && over.resolve());
    shell.stdout.on('data', look);
    await Promise.race([over.promise, ended]);
    shell.stdout.off('data', look);
    if (!said.includes(done))
      throw new Error(`the shell ended (${shell.exitCode ?? shell.signalCode}) in:\n${text}\n${said}\n${logs(folder)}`);
    return said.replace(`${done}\n`, '');
  }
  return {
    folder,
    write,
    run,
    async [Symbol.asyncDispose]() {
      kill(shell.pid);
      await ended;
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

function kill(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
