export type ClientKind = 'producer' | 'consumer' | 'admin';

/**
 * What becomes of a setting that the JVM's clients know: it is acted on; it has no effect here, for a reason that is
 * told; or it is refused when a client is opened, since security or delivery hang on it. `unknown` is what the JVM
 * clients do not know either.
 */
export type SettingVerdict =
  | { readonly kind: 'used' }
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown' };

const everywhere = [
  'bootstrap.servers',
  'client.id',
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'sasl.oauthbearer.token.endpoint.url',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.key',
  'ssl.keystore.certificate.chain',
  'ssl.key.password',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.certificates',
  'ssl.endpoint.identification.algorithm',
  'ssl.enabled.protocols',
  'ssl.cipher.suites',
  'reconnect.backoff.ms',
  'reconnect.backoff.max.ms',
  'retry.backoff.ms',
  'retry.backoff.max.ms',
  'request.timeout.ms',
  'default.api.timeout.ms',
  'metadata.max.age.ms',
  'socket.connection.setup.timeout.ms',
] as const;

const used: Readonly<Record<ClientKind, ReadonlySet<string>>> = {
  producer: new Set([
    ...everywhere,
    'acks',
    'delivery.timeout.ms',
    'max.block.ms',
    'max.in.flight.requests.per.connection',
    'max.request.size',
    'compression.type',
    'transaction.timeout.ms',
  ]),
  consumer: new Set([
    ...everywhere,
    'group.id',
    'group.instance.id',
    'group.protocol',
    'partition.assignment.strategy',
    'session.timeout.ms',
    'heartbeat.interval.ms',
    'max.poll.interval.ms',
    'max.poll.records',
    'auto.offset.reset',
    'isolation.level',
    'fetch.min.bytes',
    'fetch.max.bytes',
    'fetch.max.wait.ms',
    'max.partition.fetch.bytes',
    'check.crcs',
    'allow.auto.create.topics',
    'client.rack',
  ]),
  admin: new Set(everywhere),
};

const own = 'the pipeline makes whole batches and sends them at once';
const classes = 'Java classes cannot be loaded';
const ignored: Readonly<Record<string, string>> = {
  'batch.size': 'batches are as large as what has gathered while the ones before were on their way',
  'linger.ms': own,
  'buffer.memory': own,
  'partitioner.adaptive.partitioning.enable': own,
  'partitioner.availability.timeout.ms': own,
  'enable.idempotence': 'producers are always idempotent',
  retries: 'what may pass is repeated until delivery.timeout.ms',
  'key.serializer': 'converters make the bytes',
  'value.serializer': 'converters make the bytes',
  'key.deserializer': 'converters read the bytes',
  'value.deserializer': 'converters read the bytes',
  'enable.auto.commit': 'the sink commits what it has flushed',
  'auto.commit.interval.ms': 'the sink commits what it has flushed',
  'exclude.internal.topics': 'a pattern never matches internal topics',
  'connections.max.idle.ms': 'connections are kept, and made again where the broker closed them',
  'send.buffer.bytes': 'the operating system chooses it',
  'receive.buffer.bytes': 'the operating system chooses it',
  'client.dns.lookup': 'names are looked up at each connect, and all addresses are tried',
  'socket.connection.setup.timeout.max.ms': 'socket.connection.setup.timeout.ms is always the limit',
  'metadata.max.idle.ms': 'it is not needed here',
  'metadata.recovery.strategy': 'bootstrap.servers are always asked again when no other broker answers',
  'metadata.recovery.rebootstrap.trigger.ms': 'bootstrap.servers are always asked again when no other broker answers',
  'enable.metrics.push': 'metrics are read from /metrics',
  'metric.reporters': classes,
  'interceptor.classes': classes,
  'auto.include.jmx.reporter': 'there is no JMX',
  'metrics.num.samples': 'metrics are read from /metrics',
  'metrics.sample.window.ms': 'metrics are read from /metrics',
  'metrics.recording.level': 'metrics are read from /metrics',
  'group.remote.assignor': 'only the classic group protocol is spoken',
  'sasl.kerberos.service.name': 'there is no Kerberos',
  'ssl.protocol': 'ssl.enabled.protocols decides',
  'ssl.provider': classes,
  'ssl.keymanager.algorithm': classes,
  'ssl.trustmanager.algorithm': classes,
  'ssl.secure.random.implementation': classes,
  'compression.gzip.level': 'the default level is taken',
  'compression.lz4.level': 'the default level is taken',
  'compression.zstd.level': 'the default level is taken',
};

const refused: Readonly<Record<string, string>> = {
  // The leader fences by this id: with another one, two tasks could write the same records (KIP-618).
  'transactional.id': "transactions take their ids from the worker's group, the connector and the task",
  'transaction.two.phase.commit.enable': 'transactions are ended by the worker alone',
  'partitioner.class': `${classes}; partitions are chosen as the JVM's default partitioner does`,
  'partitioner.ignore.keys': 'records of one key would lose their order',
  'security.providers': classes,
  'ssl.engine.factory.class': classes,
  'sasl.client.callback.handler.class': classes,
  'sasl.login.class': classes,
};

/** `key` without the client's prefix. */
export function settingVerdict(kind: ClientKind, key: string): SettingVerdict {
  if (used[kind].has(key)) return { kind: 'used' };
  const refusal = refused[key];
  if (refusal !== undefined) return { kind: 'refused', why: refusal };
  const reason = ignored[key];
  if (reason !== undefined) return { kind: 'ignored', why: reason };
  if (key.startsWith('sasl.kerberos.')) return { kind: 'ignored', why: 'there is no Kerberos' };
  if (key.startsWith('sasl.')) return { kind: 'ignored', why: 'the mechanism is set up by sasl.mechanism and sasl.jaas.config alone' };
  return { kind: 'unknown' };
}
