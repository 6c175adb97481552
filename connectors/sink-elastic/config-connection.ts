/** Keys of the peer's groups Connector and Proxy. Source: ElasticsearchSinkConnectorConfig. */
import { defineConfig } from '@millrace/runtime/api';

import { between, check, day, hour, low, maxInt, minute, oneOf, second } from './config-rules.ts';
import { nodeUrls } from './node-urls.ts';

const streamPart = check((text) => {
  if (text.length > 100) return 'It may have 100 characters at most';
  if (text !== text.toLowerCase()) return 'It must be in lower case';
  return /[\\/*?"<>| ,#\-:]/.test(text) ? 'It must have no spaces and none of \\/*?"<>|,#-:' : undefined;
});

export const connectionKeys = defineConfig({
  'connection.url': {
    type: 'list',
    importance: 'high',
    group: 'Connector',
    rule: {
      kind: 'custom',
      check: (value) => {
        try {
          nodeUrls(value as readonly string[]);
          return undefined;
        } catch (error) {
          return (error as Error).message;
        }
      },
    },
    doc: 'The nodes, such as http://es1:9200,http://es2:9200. One without a scheme is taken for https where another one says https, else for http.',
  },
  'connection.username': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'The user, with connection.password.',
  },
  'connection.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'The password of connection.username.',
  },
  'connection.api.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: "An API key as Elasticsearch gives it (the text called `encoded`), in place of a user and password. Millrace's own key.",
  },
  'external.resource.usage': {
    type: 'string',
    default: 'DISABLED',
    importance: 'high',
    group: 'Connector',
    rule: oneOf('INDEX', 'DATASTREAM', 'ALIAS_INDEX', 'ALIAS_DATASTREAM', 'DISABLED'),
    doc: 'What the resources of topic.to.external.resource.mapping are. DISABLED: indices or data streams are named after topics and made where they are missing.',
  },
  'topic.to.external.resource.mapping': {
    type: 'list',
    default: [],
    importance: 'high',
    group: 'Connector',
    doc: 'Where each topic goes, as topic:resource. The resources must exist.',
  },
  'max.external.resource.mappings': {
    type: 'int',
    default: 15,
    importance: 'medium',
    group: 'Connector',
    rule: between(1, maxInt),
    doc: 'How many mappings there may be.',
  },
  'data.stream.type': low('Connector', 'With data.stream.dataset: writes to data streams named type-dataset-namespace.', {
    type: 'string',
    default: 'NONE',
    rule: oneOf('LOGS', 'METRICS', 'NONE'),
  }),
  'data.stream.dataset': low('Connector', 'The second part of the name of data streams.', {
    type: 'string',
    default: '',
    rule: streamPart,
  }),
  'data.stream.namespace': low('Connector', 'The third part of the name of data streams; ${topic} stands for the topic.', {
    type: 'string',
    default: '${topic}',
    rule: check((text) => (streamPart.kind === 'custom' ? streamPart.check(text.replaceAll('${topic}', '')) : undefined)),
  }),
  'data.stream.timestamp.field': low(
    'Connector',
    "Fields of which the first that is there becomes @timestamp; left out, the record's timestamp does.",
    {
      type: 'list',
      default: [],
    },
  ),
  'batch.size': {
    type: 'int',
    default: 2000,
    importance: 'medium',
    group: 'Connector',
    rule: between(1, 1_000_000),
    doc: 'Records in one bulk request, at most.',
  },
  'bulk.size.bytes': low('Connector', 'Bytes of one bulk request, at most (a larger record goes alone); -1 for no limit.', {
    type: 'long',
    default: 5 * 1024 * 1024,
    rule: between(-1, maxInt),
  }),
  'max.in.flight.requests': {
    type: 'int',
    default: 5,
    importance: 'medium',
    group: 'Connector',
    rule: between(1, 1000),
    doc: 'Bulk requests under way at once. All records of one document go through the same one of them, in order.',
  },
  'max.buffered.records': low('Connector', 'Records that a task holds, at most, before it takes no more.', {
    type: 'int',
    default: 20_000,
    rule: between(1, maxInt),
  }),
  'linger.ms': low('Connector', 'How long a bulk request that is not full waits for more records.', {
    type: 'long',
    default: 1,
    rule: between(0, 7 * day),
  }),
  'flush.timeout.ms': low('Connector', 'How long there may be no room in the buffer, or a flush may take, before the task fails.', {
    type: 'long',
    default: 3 * minute,
    rule: between(second, 7 * day),
  }),
  'flush.synchronously': low(
    'Connector',
    'Whether each commit of offsets waits until all is written, however long that takes (up to flush.timeout.ms).',
    {
      type: 'boolean',
      default: false,
    },
  ),
  'max.retries': low(
    'Connector',
    'How often a request, or what was refused of it, is tried again without any progress before the task fails.',
    {
      type: 'int',
      default: 5,
      rule: between(0, maxInt),
    },
  ),
  'retry.backoff.ms': low(
    'Connector',
    'The first wait is random below twice this; each further one below twice the last, up to a minute.',
    {
      type: 'long',
      default: 100,
      rule: between(0, day),
    },
  ),
  'connection.compression': low('Connector', 'Whether requests are sent, and answers asked for, with gzip.', {
    type: 'boolean',
    default: false,
  }),
  'max.connection.idle.time.ms': low('Connector', 'How long an unused connection is kept; -1 for ever.', {
    type: 'int',
    default: minute,
    rule: between(-1, day),
  }),
  'connection.timeout.ms': low('Connector', 'How long connecting may take.', { type: 'int', default: second, rule: between(0, 12 * hour) }),
  'read.timeout.ms': low('Connector', 'How long a node may be silent during a request.', {
    type: 'int',
    default: 3 * second,
    rule: between(0, 7 * day),
  }),
  'proxy.host': low('Proxy', 'An HTTP proxy to connect through (by CONNECT).', { type: 'string', default: '' }),
  'proxy.port': low('Proxy', 'Its port.', { type: 'int', default: 8080, rule: between(1, 65_535) }),
  'proxy.username': low('Proxy', 'The user at the proxy.', { type: 'string', default: '' }),
  'proxy.password': low('Proxy', 'The password at the proxy.', { type: 'password', default: null }),
});
