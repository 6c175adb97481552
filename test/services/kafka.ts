import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Kafka, logLevel } from 'kafkajs';

import { run } from './command.ts';
import { createDataFolder } from './data-folder.ts';
import {
  KAFKA_VERSION,
  kafkaListeners,
  log4jProperties,
  propertiesText,
  randomClusterId,
  scramRecord,
  serverProperties,
} from './kafka-config.ts';
import { javaCommand, mavenJars } from './maven.ts';
import { borrowedServer, startServer } from './server.ts';
import type { Server } from './server.ts';

export interface KafkaServer extends Server {
  readonly brokers: string[];
  readonly port: number;
  /** With {sasl: true}: SASL_PLAINTEXT, for SASL_USER of kafka-config.ts. */
  readonly saslBrokers: string[];
  /** With {ssl: true}: SSL, its certificate signed by `caFile` (PEM). */
  readonly sslBrokers: string[];
  readonly caFile: string | undefined;
}

export interface KafkaOptions {
  /** Of the JVM: '512m' by default. */
  readonly heap?: string;
  /** Further lines of server.properties; they win over ours. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly sasl?: boolean;
  readonly ssl?: boolean;
  /** One of our own, even where KAFKA_BROKERS names one. Asking for anything else above implies it. */
  readonly private?: boolean;
}

/** A Kafka of one node: fresh, or the one that KAFKA_BROKERS names. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const { heap = '512m', properties = {}, sasl = false, ssl = false } = options;
  const isPrivate = options.private ?? Boolean(options.heap || options.properties || sasl || ssl);
  const shared = process.env['KAFKA_BROKERS'];
  if (shared && !isPrivate) return borrowedKafka(shared.split(','));

  const java = await javaCommand();
  const jars = await kafkaJars();
  const folder = createDataFolder('kafka');
  try {
    const listeners = await kafkaListeners(folder.path, { sasl, ssl });
    const config = join(folder.path, 'server.properties');
    const log4j = join(folder.path, 'log4j2.properties');
    writeFileSync(config, propertiesText(serverProperties(folder.path, listeners, properties)));
    writeFileSync(log4j, log4jProperties('WARN'));
    const jvm = [`-Dlog4j2.configurationFile=${log4j}`, '-cp', join(jars, '*')];

    const format = ['kafka.tools.StorageTool', 'format', '-t', randomClusterId(), '-c', config];
    // The short-lived one starts faster without the optimising compiler.
    await run(java, ['-XX:TieredStopAtLevel=1', ...jvm, ...format, ...(sasl ? ['--add-scram', scramRecord()] : [])]);

    const brokers = [`127.0.0.1:${listeners.port}`];
    const server = await startServer({
      name: `Kafka ${KAFKA_VERSION}`,
      command: java,
      args: [`-Xms${heap}`, `-Xmx${heap}`, ...KAFKA_JVM, ...jvm, 'kafka.Kafka', config],
      folder,
      isReady: () => answers(brokers),
      readyWithinMs: 90_000,
      stopSignal: 'SIGTERM',
      graceMs: 30_000,
      discardSignal: 'SIGKILL',
    });
    return Object.assign(server, {
      brokers,
      port: listeners.port,
      saslBrokers: listeners.saslPort ? [`127.0.0.1:${listeners.saslPort}`] : [],
      sslBrokers: listeners.sslPort ? [`127.0.0.1:${listeners.sslPort}`] : [],
      caFile: listeners.caFile,
    });
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** What bin/kafka-run-class.sh gives every JVM. */
export const KAFKA_JVM = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];

/** The folder of Kafka's jars, its command line tools included. */
export const kafkaJars = (): Promise<string> =>
  mavenJars(`kafka-${KAFKA_VERSION}`, [
    `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
    `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
    'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
  ]);

// Metadata names the broker once the controller has let it in, which is when it serves.
async function answers(brokers: string[]): Promise<boolean> {
  const kafka = new Kafka({ clientId: 'services', brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } finally {
    await admin.disconnect();
  }
}

function borrowedKafka(brokers: string[]): KafkaServer {
  const port = Number(brokers[0]?.split(':')[1] ?? 9092);
  const server = borrowedServer('Kafka', 'KAFKA_BROKERS');
  return Object.assign(server, { brokers, port, saslBrokers: [], sslBrokers: [], caFile: undefined });
}
