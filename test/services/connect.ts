import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createDataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { KAFKA_VERSION, log4jProperties, propertiesText } from './kafka-config.ts';
import { KAFKA_JVM } from './kafka.ts';
import { javaCommand, mavenJars } from './maven.ts';
import { startServer } from './server.ts';
import type { Server } from './server.ts';

export const DEBEZIUM_VERSION = '3.3.2.Final';

/** The real Kafka Connect, with the real Debezium for PostgreSQL. */
export interface ConnectServer extends Server {
  readonly url: string;
  readonly port: number;
  /** From the start of the process until it listed its connectors. */
  readonly readyAfterMs: number;
  /** Where a standalone worker keeps its source offsets; distributed workers have none. */
  readonly offsetsFile: string | undefined;
  /** What it was started with. */
  readonly workerFile: string;
  readonly connectorFiles: readonly string[];
}

export interface ConnectOptions {
  readonly brokers: readonly string[];
  readonly mode?: 'distributed' | 'standalone';
  /** Workers with the same group share their connectors, and their three topics GROUP-configs, … */
  readonly group?: string;
  /** Further worker properties; they win over ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** For a standalone worker: the configs of connectors that it starts with. */
  readonly connectors?: readonly Readonly<Record<string, string>>[];
  /** What bin/connect-distributed.sh says, unless set. */
  readonly heap?: readonly string[];
  readonly logLevel?: 'INFO' | 'WARN';
  readonly readyWithinMs?: number;
}

export async function startConnect(options: ConnectOptions): Promise<ConnectServer> {
  const { mode = 'distributed', connectors = [], heap = ['-Xms256M', '-Xmx2G'], logLevel = 'INFO' } = options;
  const java = await javaCommand();
  const jars = await connectJars();
  const pluginPath = await debeziumPlugin();
  const folder = createDataFolder('connect');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const offsetsFile = mode === 'standalone' ? join(folder.path, 'connect.offsets') : undefined;

  const write = (name: string, text: string): string => {
    const file = join(folder.path, name);
    writeFileSync(file, text);
    return file;
  };
  const workerFile = write(
    'worker.properties',
    propertiesText({
      'bootstrap.servers': options.brokers.join(','),
      listeners: url,
      'plugin.path': pluginPath,
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'offset.flush.interval.ms': '10000',
      ...(offsetsFile ? { 'offset.storage.file.filename': offsetsFile } : groupProperties(options.group ?? 'connect')),
      ...options.properties,
    }),
  );
  const connectorFiles = connectors.map((config, at) => write(`connector-${at}.properties`, propertiesText(config)));
  const log4j = write('log4j2.properties', log4jProperties(logLevel));
  const main = mode === 'standalone' ? 'ConnectStandalone' : 'ConnectDistributed';

  const begin = performance.now();
  const server = await startServer({
    name: `Kafka Connect ${KAFKA_VERSION}`,
    command: java,
    args: [
      ...heap,
      ...KAFKA_JVM,
      `-Dlog4j2.configurationFile=${log4j}`,
      '-cp',
      join(jars, '*'),
      `org.apache.kafka.connect.cli.${main}`,
      workerFile,
      ...connectorFiles,
    ],
    folder,
    isReady: async () => (await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(10_000) })).ok,
    readyWithinMs: options.readyWithinMs ?? 120_000,
    stopSignal: 'SIGTERM',
    graceMs: 30_000,
    discardSignal: 'SIGKILL',
  });
  return Object.assign(server, { url, port, offsetsFile, workerFile, connectorFiles, readyAfterMs: performance.now() - begin });
}

/** What workers of one group must agree on; the same for ours. */
export function groupProperties(group: string): Record<string, string> {
  return {
    'group.id': group,
    'config.storage.topic': `${group}-configs`,
    'offset.storage.topic': `${group}-offsets`,
    'status.storage.topic': `${group}-status`,
    'config.storage.replication.factor': '1',
    'offset.storage.replication.factor': '1',
    'status.storage.replication.factor': '1',
  };
}

const connectJars = (): Promise<string> =>
  mavenJars(`connect-${KAFKA_VERSION}`, [
    ...['connect-runtime', 'connect-file', 'connect-json', 'connect-transforms'].map(
      (artifact) => `org.apache.kafka:${artifact}:${KAFKA_VERSION}`,
    ),
    'org.apache.logging.log4j:log4j-core:2.24.3',
    'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
  ]);

// Each folder below plugin.path is one plugin, and the jars arrive in one called libs.
const debeziumPlugin = async (): Promise<string> => {
  const libs = await mavenJars(`debezium-postgres-${DEBEZIUM_VERSION}`, [`io.debezium:debezium-connector-postgres:${DEBEZIUM_VERSION}`]);
  return join(libs, '..');
};
