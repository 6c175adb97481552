/**
 * Keys of the Kafka client: at the top of a worker file those that say how brokers are reached; with `producer.`,
 * `consumer.` or `admin.` before them all others. Sources: ProducerConfig, ConsumerConfig, AdminClientConfig of 4.1.
 */
import { ignored, kafka, refused, used } from './worker-key.ts';
import type { WorkerKey, WorkerKeys } from './worker-key.ts';

export type ClientKind = 'producer' | 'consumer' | 'admin';

const javaClass = 'Java classes cannot run here. Take it out.';
const noKerberos = 'Kerberos is not supported. Use SCRAM-SHA-512, or TLS client certificates.';
const tokenFile = 'Tokens come from a file only: set sasl.oauthbearer.token.endpoint.url to a file: URL, and let another program renew it.';
const ours = 'The client tunes that by itself.';
const operatingSystem = 'Node leaves it to the operating system.';

const keysOf = (names: string, make: (name: string) => WorkerKey): WorkerKeys =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, make(name)]),
  );

/** How brokers are reached. */
export const connectionKeys: WorkerKeys = {
  'security.protocol': kafka('PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.'),
  'ssl.keystore.location': kafka('File of the client’s key and certificate: PEM or PKCS12.'),
  'ssl.keystore.type': kafka('PEM or PKCS12; JKS is refused with the command that converts it.'),
  'ssl.keystore.password': kafka('Password of that file.'),
  'ssl.keystore.key': kafka('The key itself, as PEM.'),
  'ssl.keystore.certificate.chain': kafka('Its certificates, as PEM.'),
  'ssl.key.password': kafka('Password of the key.'),
  'ssl.truststore.location': kafka('File of the certificates to trust: PEM or PKCS12.'),
  'ssl.truststore.type': kafka('PEM or PKCS12.'),
  'ssl.truststore.password': kafka('Password of that file.'),
  'ssl.truststore.certificates': kafka('The certificates themselves, as PEM.'),
  'ssl.endpoint.identification.algorithm': kafka('Empty: the broker’s name is not compared with its certificate.'),
  'ssl.enabled.protocols': kafka('TLS versions to speak.'),
  'ssl.cipher.suites': kafka('Ciphers to offer.'),
  'sasl.mechanism': kafka('PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.'),
  'sasl.jaas.config': kafka('User and password, as the JVM writes them.'),
  'sasl.oauthbearer.token.endpoint.url': kafka('A file: URL; the token is read again at each login.'),
  'request.timeout.ms': kafka('How long an answer may take.'),
  'reconnect.backoff.ms': kafka('First wait before a broker is connected to again.'),
  'reconnect.backoff.max.ms': kafka('Longest such wait.'),
  'retry.backoff.ms': kafka('First wait before a failed request is sent again.'),
  'retry.backoff.max.ms': kafka('Longest such wait.'),
  'metadata.max.age.ms': kafka('Age at which what is known of the cluster is asked for again.'),
  'socket.connection.setup.timeout.ms': kafka('How long a connection may take.'),
  'default.api.timeout.ms': kafka('How long a call of the admin kind may take, retries included.'),
  ...keysOf('ssl.engine.factory.class ssl.secure.random.implementation ssl.provider security.providers', () =>
    refused('A Java class for TLS.', javaClass),
  ),
  ...keysOf('sasl.login.class sasl.login.callback.handler.class sasl.client.callback.handler.class', () =>
    refused('A Java class for the login.', `${javaClass} Write user and password into sasl.jaas.config.`),
  ),
  ...keysOf('sasl.kerberos.service.name', () => refused('The brokers’ Kerberos name.', noKerberos)),
  ...keysOf(
    'sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor',
    () => ignored('A detail of Kerberos.', noKerberos),
  ),
  ...keysOf(
    `sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.assertion.file
     sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.template.file
     sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class`,
    () => refused('How an OAuth token is obtained.', tokenFile),
  ),
  ...keysOf(
    `sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds
     sasl.oauthbearer.assertion.claim.iss sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
     sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
     sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
     sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url sasl.oauthbearer.scope sasl.oauthbearer.scope.claim.name
     sasl.oauthbearer.sub.claim.name sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
     sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter sasl.login.retry.backoff.max.ms
     sasl.login.retry.backoff.ms`,
    () => ignored('A detail of OAuth logins.', tokenFile),
  ),
  ...keysOf('ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.protocol', () =>
    ignored('A detail of Java’s TLS.', 'Node’s TLS has its own; ssl.enabled.protocols chooses versions.'),
  ),
  'client.dns.lookup': ignored('How names of brokers are looked up.', 'Node tries every address of a name by itself.', ['use_all_dns_ips']),
  ...keysOf('receive.buffer.bytes send.buffer.bytes', () => ignored('Size of a socket’s buffer.', operatingSystem)),
  ...keysOf(
    'connections.max.idle.ms socket.connection.setup.timeout.max.ms metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms',
    () => ignored('How connections are kept.', ours),
  ),
  'client.id': ignored('Name of the client in the brokers’ logs.', 'Clients are named after the connector and task they work for.'),
  'enable.metrics.push': ignored('Whether clients send metrics to the brokers.', 'They never do.', ['false']),
};

const producerKeys: WorkerKeys = {
  acks: kafka('Always all; a lower value is refused.'),
  'compression.type': used('string', null, 'none, gzip, snappy, lz4 or zstd.'),
  'delivery.timeout.ms': kafka('How long a record may take to arrive, retries included; for ever unless set.'),
  'max.block.ms': kafka('How long to wait for a topic that is not there.'),
  'max.in.flight.requests.per.connection': kafka('At most 5.'),
  'max.request.size': used('string', null, 'Largest request, and so the largest record, in bytes.'),
  'batch.size': ignored(
    'Size that batches are cut at, in bytes.',
    'Batches are as large as what has gathered while the ones before were on their way.',
  ),
  'transactional.id': refused('Names a transaction.', 'Transactions take their ids from group, connector and task. Take it out.'),
  'transaction.timeout.ms': kafka('After how long the broker gives up a transaction of an exactly-once source.'),
  'transaction.two.phase.commit.enable': refused('Who ends transactions.', 'The worker alone ends them. Take it out.'),
  'enable.idempotence': ignored('Whether retries may not repeat records.', 'They never may.', ['true']),
  'linger.ms': ignored('How long to wait for more records.', 'Batches fill while the one before is on its way.'),
  'buffer.memory': ignored(
    'Memory of records not yet sent.',
    'Buffers that go round hold sources back. millrace.task.memory.max.bytes bounds a task.',
  ),
  'partitioner.ignore.keys': refused('Whether keys do not choose partitions.', 'Records of one key would lose their order.', ['false']),
  'partitioner.class': refused(
    'A Java class that chooses partitions.',
    'Records would land in other partitions: Kafka’s default (murmur2 of the key) is always used.',
  ),
  ...keysOf('partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms', () =>
    ignored('How the partitioner works.', 'Keys choose as in the JVM; records without key go round.'),
  ),
  ...keysOf('compression.gzip.level compression.lz4.level compression.zstd.level metadata.max.idle.ms retries', () =>
    ignored('A detail of the producer.', ours),
  ),
  ...keysOf('key.serializer value.serializer interceptor.classes', () => ignored('A Java class.', javaClass)),
};

const consumerKeys: WorkerKeys = {
  'isolation.level': kafka('read_committed leaves out aborted records.'),
  'auto.offset.reset': kafka('Where a group without offsets begins: earliest or latest.'),
  'fetch.min.bytes': kafka('How much a fetch waits for.'),
  'fetch.max.bytes': kafka('How much it brings at most.'),
  'fetch.max.wait.ms': kafka('How long it waits.'),
  'max.partition.fetch.bytes': kafka('How much of one partition it brings.'),
  'check.crcs': kafka('Whether checksums are verified.'),
  'allow.auto.create.topics': kafka('Whether asking for a topic may create it.'),
  'client.rack': kafka('Read from a replica in this rack.'),
  'session.timeout.ms': kafka('Silence after which a member is taken for dead.'),
  'heartbeat.interval.ms': kafka('How often a member tells that it lives.'),
  'max.poll.interval.ms': kafka('How long a sink may work on one batch.'),
  'max.poll.records': used('string', null, 'How many records a sink gets at once.'),
  'group.instance.id': kafka('Static membership.'),
  'group.protocol': kafka('classic; consumer is refused.'),
  'partition.assignment.strategy': kafka('range, as the JVM’s default.'),
  'group.id': ignored('The group.', 'A sink’s group is connect-NAME; a connector may change it by consumer.override.group.id.'),
  ...keysOf('enable.auto.commit auto.commit.interval.ms', () =>
    ignored('When offsets are committed.', 'Offsets are committed after the sink’s flush.'),
  ),
  ...keysOf(
    'exclude.internal.topics group.remote.assignor internal.leave.group.on.close internal.throw.on.fetch.stable.offset.unsupported share.acknowledgement.mode',
    () => ignored('A detail of the consumer.', ours),
  ),
  ...keysOf('key.deserializer value.deserializer interceptor.classes', () => ignored('A Java class.', javaClass)),
};

const adminKeys: WorkerKeys = keysOf('retries bootstrap.controllers', () => ignored('A detail of the admin client.', ours));

export const prefixedKeys: Readonly<Record<ClientKind, WorkerKeys>> = {
  producer: { ...connectionKeys, ...producerKeys },
  consumer: { ...connectionKeys, ...consumerKeys },
  admin: { ...connectionKeys, ...adminKeys },
};
