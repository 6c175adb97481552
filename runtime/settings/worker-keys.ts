/**
 * Every key of a worker file save the Kafka client's own. Sources: org.apache.kafka.connect.runtime.WorkerConfig,
 * …rest.RestServerConfig, …standalone.StandaloneConfig, …distributed.DistributedConfig of Kafka 4.1.
 */
import { distributed, ignored, refused, used } from './worker-key.ts';
import type { WorkerKeys } from './worker-key.ts';

const noPluginVersions = 'Each plugin is there in one version: the installed package. Take the key out.';
/** The class of Connect's basic authentication, and its alias. */
export const basicAuthClasses: readonly string[] = [
  'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension',
  'BasicAuthSecurityRestExtension',
];
const storageTopic = 'Standalone on Kafka needs none; on the embedded log the default is ';

export const commonKeys: WorkerKeys = {
  'bootstrap.servers': used('list', 'localhost:9092', 'Brokers as host:port, or `embedded:DIR` for the embedded log in that folder.'),
  'key.converter': used(
    'class',
    undefined,
    'Converter of record keys; its settings follow with this prefix, as in `key.converter.schemas.enable`.',
  ),
  'value.converter': used('class', undefined, 'Converter of record values; its settings follow with this prefix.'),
  'header.converter': used(
    'class',
    'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    'Converter of record headers; its settings follow with this prefix.',
  ),
  'task.shutdown.graceful.timeout.ms': used('long', '5000', 'How long tasks may take to stop before their threads are ended.', { min: 0 }),
  'offset.flush.interval.ms': used('long', '60000', 'How often offsets are committed.', { min: 1 }),
  'offset.flush.timeout.ms': {
    ...used('long', '5000', 'How long one commit of offsets may take before it is given up until the next.', { min: 1 }),
    state: 'ignored',
    why: 'A commit waits for as long as the log does not answer; it holds up nothing else.',
    harmless: ['5000'],
  },
  'plugin.path': used(
    'list',
    null,
    'npm packages, or folders of them, that hold further plugins. Folders of jars are passed over with a warning.',
  ),
  'config.providers': used(
    'list',
    '',
    'Names of the providers that resolve `${provider:path:key}`; each with `config.providers.NAME.class` and `.param.*`.',
  ),
  'connector.client.config.override.policy': used('string', 'All', 'Which client settings connectors may override.', {
    values: ['All', 'None', 'Principal'],
  }),
  'topic.creation.enable': used('boolean', 'true', 'Whether source connectors create topics by their `topic.creation.*` settings.'),
  'topic.tracking.enable': used('boolean', 'true', 'Whether the topics that a connector uses are kept for `/connectors/{name}/topics`.'),
  'topic.tracking.allow.reset': used('boolean', 'true', 'Whether those may be reset by REST.'),
  listeners: used(
    'list',
    'http://:8083',
    'Where REST listens: `http://host:port` or `https://host:port`, several with commas; an empty host is every interface, port 0 any free one.',
  ),
  'admin.listeners': used('list', null, 'Where `/admin` is served instead; empty serves it nowhere.'),
  'access.control.allow.origin': used('string', '', 'Origins that browsers may call REST from, with `*` as a wildcard.'),
  'access.control.allow.methods': used('string', '', 'Methods that they may use; GET, POST and HEAD when empty.'),
  'response.http.headers.config': used(
    'string',
    '',
    'Headers of every answer: `[set|add|setDate|addDate] name:value`, separated by commas.',
  ),
  'rest.advertised.host.name': used('string', null, 'Host part of this worker’s id in statuses, and what other workers call it by.'),
  'rest.advertised.port': used('int', null, 'Port part of it.', { min: 0 }),
  'rest.advertised.listener': used(
    'string',
    null,
    'Which listener other workers are told of; the http one where there is one, unless set.',
    { values: ['http', 'https'] },
  ),
  'rest.extension.classes': refused(
    'Java classes that extend REST. Connect’s own for basic authentication is built in: it asks for a name and a password that stand in the file of users that the JAAS file names.',
    'Other Java classes cannot run here, and without them REST may stand open. Put a proxy that authenticates before it, listen on 127.0.0.1, and take the class out.',
    basicAuthClasses,
  ),
  'ssl.client.auth': used(
    'string',
    'none',
    'Whether REST clients must show a certificate at https listeners: `none`, `requested` (if they have one) or `required`.',
    {
      values: ['none', 'requested', 'required'],
    },
  ),
  'plugin.discovery': ignored('How Java plugins are found.', 'Plugins are found by their package.json, which needs no scan. Take it out.', [
    'hybrid_warn',
  ]),
  'metric.reporters': ignored('Java classes that report metrics.', 'Metrics are at GET /metrics, for Prometheus. Take it out.', [
    'org.apache.kafka.common.metrics.JmxReporter',
    '',
  ]),
  'metrics.num.samples': ignored(
    'Samples that a metric is computed over.',
    'Counters are exact here, and rates are Prometheus’ to compute.',
    ['2'],
  ),
  'metrics.sample.window.ms': ignored('Time span of a sample.', 'Counters are exact here, and rates are Prometheus’ to compute.', [
    '30000',
  ]),
  'metrics.recording.level': ignored('How many metrics are kept.', 'All of them are.', ['INFO']),
  'key.converter.plugin.version': ignored('Version of the key converter.', noPluginVersions),
  'value.converter.plugin.version': ignored('Version of the value converter.', noPluginVersions),
  'header.converter.plugin.version': ignored('Version of the header converter.', noPluginVersions),
  'offset.storage.file.filename': used(
    'string',
    undefined,
    'File of source offsets of a standalone worker on Kafka, in Connect’s own format. On the embedded log they are in the log.',
  ),
};

export const distributedKeys: WorkerKeys = {
  'group.id': distributed('string', undefined, 'Names the cluster of workers that this one belongs to.'),
  'config.storage.topic': distributed('string', undefined, `Topic of connector configs. ${storageTopic}\`connect-configs\`.`),
  'config.storage.replication.factor': distributed('short', '3', 'Replication factor of that topic where it is created.', { min: -1 }),
  'offset.storage.topic': distributed('string', undefined, `Topic of source offsets. ${storageTopic}\`connect-offsets\`.`),
  'offset.storage.replication.factor': distributed('short', '3', 'Replication factor of that topic where it is created.', { min: -1 }),
  'offset.storage.partitions': distributed('int', '25', 'Partitions of that topic where it is created.', { min: -1 }),
  'status.storage.topic': distributed('string', undefined, `Topic of statuses. ${storageTopic}\`connect-status\`.`),
  'status.storage.replication.factor': distributed('short', '3', 'Replication factor of that topic where it is created.', { min: -1 }),
  'status.storage.partitions': distributed('int', '5', 'Partitions of that topic where it is created.', { min: -1 }),
  'session.timeout.ms': distributed('int', '10000', 'Silence after which a worker is taken for dead.', { min: 1 }),
  'heartbeat.interval.ms': distributed('int', '3000', 'How often a worker tells that it lives.', { min: 1 }),
  'rebalance.timeout.ms': distributed('int', '60000', 'How long workers may take to join a rebalance.', { min: 1 }),
  'worker.sync.timeout.ms': distributed(
    'int',
    '3000',
    'How long a worker tries to catch up with the config topic before it leaves the group.',
    { min: 0 },
  ),
  'worker.unsync.backoff.ms': distributed('int', '300000', 'How long it then stays away.', { min: 0 }),
  'connect.protocol': distributed('string', 'sessioned', 'Which protocols the worker offers.', {
    values: ['eager', 'compatible', 'sessioned'],
  }),
  'scheduled.rebalance.max.delay.ms': distributed('int', '300000', 'How long the work of a lost worker waits for its return.', { min: 0 }),
  'inter.worker.key.ttl.ms': distributed('int', '3600000', 'Age at which the key that signs calls between workers is renewed.', { min: 0 }),
  'inter.worker.key.generation.algorithm': distributed('string', 'HmacSHA256', 'Algorithm of that key.'),
  'inter.worker.key.size': distributed('int', null, 'Its size in bits.', { min: 1 }),
  'inter.worker.signature.algorithm': distributed('string', 'HmacSHA256', 'Algorithm that calls between workers are signed with.'),
  'inter.worker.verification.algorithms': distributed('list', 'HmacSHA256', 'Algorithms that are accepted.'),
  'exactly.once.source.support': {
    ...distributed(
      'string',
      'disabled',
      'Whether sources write their records and offsets in one transaction. A running cluster is restarted twice, one worker after the other: with `preparing`, then with `enabled`.',
      { values: ['disabled', 'preparing', 'enabled'] },
    ),
    why: 'On Kafka, a crash may then repeat records; on the embedded log records and offsets are one write anyway, and none is repeated.',
    harmless: ['disabled', 'DISABLED'],
  },
};

/** Ours; Connect does not know them, and warns. */
export const ownKeys: WorkerKeys = {
  'millrace.task.memory.max.bytes': used(
    'long',
    '1073741824',
    'How much memory, heap and buffers together, one task’s thread may hold before it is ended and FAILED.',
    { min: 16_777_216 },
  ),
  'millrace.plugin.call.timeout.ms': used(
    'long',
    '60000',
    'How long a connector’s own code may take outside its tasks (to validate a config, to make task configs) before it is ended.',
    { min: 100 },
  ),
  'millrace.task.unresponsive.after.ms': used('long', '10000', 'Silence of a task’s thread after which its status says so.', { min: 100 }),
  'millrace.embedded.synchronous': used(
    'string',
    'full',
    'What the embedded log survives: `full` a power cut, by a disk flush for each commit; `normal` only crashes of the program, and is faster.',
    { values: ['full', 'normal'] },
  ),
  'millrace.join.despite.missing.classes': distributed(
    'boolean',
    'false',
    'Joins a group with other workers in it although connectors there name classes or config providers that this worker does not have: it then warns, and those of their tasks that it is given are FAILED here. Otherwise it does not start.',
  ),
  'java.security.auth.login.config': used(
    'string',
    null,
    'The JAAS file for that class, with a context `KafkaConnect`; taken from `-Djava.security.auth.login.config=FILE` in the environment variable KAFKA_OPTS unless set.',
  ),
  'millrace.rest.basic.auth.file': used(
    'string',
    null,
    'REST asks for a name and a password; this file has a line `name=password` for each user, and is read again when it changes.',
  ),
  'millrace.log.level': used('string', 'INFO', 'Log level to start with; `/admin/loggers` changes it at run time.', {
    values: ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'],
  }),
  'millrace.log.format': used('string', 'auto', 'Log lines as `text` or `json`; `auto` is text.', { values: ['auto', 'text', 'json'] }),
};
