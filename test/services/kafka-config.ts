import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { requireCommand, run } from './command.ts';
import { freePort } from './free-port.ts';

export const KAFKA_VERSION = '4.1.1';

/** The user of the SASL listener, under PLAIN and SCRAM-SHA-256 alike. */
export const SASL_USER = { username: 'millrace', password: 'millrace-secret' };

export interface KafkaListeners {
  readonly port: number;
  readonly saslPort: number | undefined;
  readonly sslPort: number | undefined;
  /** What a client has to trust to believe the SSL listener. */
  readonly caFile: string | undefined;
  /** Keys for the broker, to be merged into server.properties. */
  readonly properties: Readonly<Record<string, string>>;
}

/** The listeners of a broker on 127.0.0.1: PLAINTEXT always, SASL_PLAINTEXT and SSL on request. */
export async function kafkaListeners(folder: string, wanted: { sasl: boolean; ssl: boolean }): Promise<KafkaListeners> {
  const port = await freePort();
  const controller = await freePort();
  const saslPort = wanted.sasl ? await freePort() : undefined;
  const sslPort = wanted.ssl ? await freePort() : undefined;
  const certificate = wanted.ssl ? await makeCertificate(folder) : undefined;

  const brokers = [`PLAINTEXT://127.0.0.1:${port}`];
  if (saslPort) brokers.push(`SASL_PLAINTEXT://127.0.0.1:${saslPort}`);
  if (sslPort) brokers.push(`SSL://127.0.0.1:${sslPort}`);

  return {
    port,
    saslPort,
    sslPort,
    caFile: certificate?.caFile,
    properties: {
      listeners: [...brokers, `CONTROLLER://127.0.0.1:${controller}`].join(','),
      'advertised.listeners': brokers.join(','),
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      ...(saslPort && saslProperties()),
      ...(certificate && {
        'listener.name.ssl.ssl.keystore.type': 'PEM',
        'listener.name.ssl.ssl.keystore.location': certificate.keyStore,
      }),
    },
  };
}

function saslProperties(): Record<string, string> {
  const { username, password } = SASL_USER;
  const security = 'org.apache.kafka.common.security';
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': `${security}.scram.ScramLoginModule required;`,
  };
}

/** server.properties of a single node that is broker and controller. */
export function serverProperties(
  folder: string,
  listeners: KafkaListeners,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Fifty each by default, made when a test first needs a group or a transaction.
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    // Members may ask to be missed sooner than the 6 s of the default.
    'group.min.session.timeout.ms': '1000',
    // A broker that was killed is let in again when its old session has run out: 9 s by default.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '500',
    ...listeners.properties,
    ...extra,
  };
}

/** Properties as Java reads them. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('');
}

/** log4j2 to standard output, from that level on. (Its YAML form needs a further jar.) */
export const log4jProperties = (level: 'WARN' | 'INFO'): string =>
  propertiesText({
    'appender.out.type': 'Console',
    'appender.out.name': 'OUT',
    'appender.out.layout.type': 'PatternLayout',
    'appender.out.layout.pattern': '[%d] %p %m (%c)%n',
    'rootLogger.level': level,
    'rootLogger.appenderRef.out.ref': 'OUT',
  });

export const scramRecord = (): string => `SCRAM-SHA-256=[name=${SASL_USER.username},password=${SASL_USER.password}]`;

/** A cluster id as StorageTool makes them: a UUID in URL-safe base 64, with no dash in front, which would look like an option. */
export function randomClusterId(): string {
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  return id.startsWith('-') ? randomClusterId() : id;
}

/** A certificate of its own authority, so that `caFile` alone is to be trusted, and its key. */
async function makeCertificate(folder: string): Promise<{ caFile: string; keyStore: string }> {
  const openssl = await requireCommand('openssl', 'openssl');
  const [key, caFile, keyStore] = [join(folder, 'key.pem'), join(folder, 'ca.pem'), join(folder, 'keystore.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=localhost'];
  await run(openssl, [...request, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', caFile]);
  await run('sh', ['-c', 'cat "$1" "$2" > "$3"', 'sh', key, caFile, keyStore]);
  return { caFile, keyStore };
}
