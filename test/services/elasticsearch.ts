import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { cacheFolder, cached, lock } from './cache.ts';
import { requireCommand, run } from './command.ts';
import { createDataFolder, unprivilegedUser } from './data-folder.ts';
import type { RunAs } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { javaCommand } from './maven.ts';
import { borrowedServer, startServer } from './server.ts';
import type { Server } from './server.ts';

export const ELASTICSEARCH_VERSION = '8.19.0';

export interface ElasticsearchServer extends Server {
  readonly url: string;
  readonly port: number;
}

export interface ElasticsearchOptions {
  /** Of the JVM: '512m' by default. */
  readonly heap?: string;
  /** For measurements: compiled to the full, which takes two cores half a minute. Left out: soon there, and slower at its best. */
  readonly optimized?: boolean;
  /** Further lines of elasticsearch.yml; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** One of our own, even where ELASTICSEARCH_URL names one. Asking for anything else above implies it. */
  readonly private?: boolean;
}

/**
 * An Elasticsearch of one node, without security: fresh, or the one that ELASTICSEARCH_URL names. A real server, but
 * the build that its own tests use: it has no x-pack (no data streams, no security), and `GET /` answers 405.
 */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
  const { heap = '512m', settings = {}, optimized = false } = options;
  const shared = process.env['ELASTICSEARCH_URL'];
  if (shared && !(options.private ?? Boolean(options.heap || options.settings || optimized))) {
    const port = Number(new URL(shared).port || 9200);
    return Object.assign(borrowedServer('Elasticsearch', 'ELASTICSEARCH_URL'), { url: shared.replace(/\/$/, ''), port });
  }

  const runAs = unprivilegedUser();
  const javaHome = dirname(dirname(realpathSync(await javaCommand())));
  const home = reachable(await distribution(), runAs);
  const folder = createDataFolder('elasticsearch', runAs);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  try {
    const config = join(folder.path, 'config');
    cpSync(join(home, 'config'), config, { recursive: true });
    // The paths in it are relative to the server's own folder, which is not written to.
    const jvm = readFileSync(join(config, 'jvm.options'), 'utf8');
    writeFileSync(join(config, 'jvm.options'), jvm.replaceAll(/^.*(logs\/|HeapDumpPath).*$/gm, ''));
    writeFileSync(join(config, 'elasticsearch.yml'), yaml(await serverSettings(folder.path, port, settings)));
    giveTo(folder.path, runAs);
    const server = await startServer({
      name: `Elasticsearch ${ELASTICSEARCH_VERSION}`,
      command: 'bash',
      args: [join(home, 'bin', 'elasticsearch')],
      env: {
        PATH: process.env['PATH'],
        HOME: folder.path,
        LANG: 'C.UTF-8',
        ES_PATH_CONF: config,
        ES_TMPDIR: join(folder.path, 'tmp'),
        ES_JAVA_HOME: javaHome,
        ES_JAVA_OPTS: `-Xms${heap} -Xmx${heap}${optimized ? '' : ' -XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC'}`,
        CLI_JAVA_OPTS: '-Xms16m -Xmx64m -XX:TieredStopAtLevel=1',
      },
      runAs,
      folder,
      isReady: () => answers(url),
      readyWithinMs: 180_000,
      stopSignal: 'SIGTERM',
      graceMs: 30_000,
      discardSignal: 'SIGKILL',
    });
    return Object.assign(server, { url, port });
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function serverSettings(folder: string, port: number, more: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  return {
    'cluster.name': 'millrace-test',
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': String(port),
    'transport.port': String(await freePort()),
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'log'),
    'xpack.security.enabled': 'false',
    // A full disk of the machine is not what the tests are about.
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    ...more,
  };
}

const yaml = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');

function giveTo(folder: string, { uid, gid }: RunAs): void {
  for (const name of ['data', 'log', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  if (uid === undefined) return;
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) chownSync(join(folder, entry), uid, gid);
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`, { signal: AbortSignal.timeout(5_000) });
  return answer.ok;
}

/** The unpacked server. Maven has it, and Maven is what the other JVM servers come from. */
async function distribution(): Promise<string> {
  const folder = await cached(`elasticsearch-${ELASTICSEARCH_VERSION}`, async (draft) => {
    await javaCommand();
    const mvn = await requireCommand('mvn', 'maven');
    const unpack = await requireCommand('jar', 'openjdk-17-jdk-headless');
    console.error(`[services] fetching elasticsearch-${ELASTICSEARCH_VERSION} from Maven …`);
    const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${ELASTICSEARCH_VERSION}:zip`;
    {
      // Two Mavens at once can spoil the local repository that they share.
      await using _lock = await lock(join(cacheFolder(), 'maven.lock'));
      await run(mvn, ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`], { cwd: draft });
    }
    await run(unpack, ['xf', `elasticsearch-${ELASTICSEARCH_VERSION}.zip`], { cwd: draft });
    const bin = join(draft, `elasticsearch-${ELASTICSEARCH_VERSION}`, 'bin');
    for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
    execFileSync('rm', [join(draft, `elasticsearch-${ELASTICSEARCH_VERSION}.zip`)]);
  });
  return join(folder, `elasticsearch-${ELASTICSEARCH_VERSION}`);
}

// A cache below /root is closed to the unprivileged user whom the server has to run as.
function reachable(home: string, runAs: RunAs): string {
  if (spawnSync('test', ['-r', join(home, 'bin', 'elasticsearch')], { ...runAs, cwd: '/' }).status === 0) return home;
  const copy = join(tmpdir(), `millrace-elasticsearch-${ELASTICSEARCH_VERSION}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    cpSync(home, draft, { recursive: true });
    renameSync(draft, copy);
  }
  return copy;
}
