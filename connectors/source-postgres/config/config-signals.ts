/** Keys of signals, incremental snapshots and notifications. */
import { defineConfig } from '@millrace/runtime/api';

import { atLeast, oneOf } from './config-rules.ts';

export const signalKeys = defineConfig({
  'signal.data.collection': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'The table (schema.table) whose inserts are signals to the connector. It is captured, whatever the filters say.',
  },
  'signal.enabled.channels': {
    type: 'list',
    default: ['source'],
    importance: 'medium',
    group: 'Events',
    doc: 'Where signals come from: source (the table), kafka (a topic of the log), file.',
  },
  'signal.poll.interval.ms': {
    type: 'long',
    default: 5000,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Events',
    doc: 'How often the file is looked at, in ms. The table and the topic are followed as they are written.',
  },
  'signal.file': {
    type: 'string',
    default: 'file-signals.txt',
    importance: 'medium',
    group: 'Events',
    doc: 'The file of the channel file: one JSON object a line. It is emptied once an offset is stored that knows of them.',
  },
  'signal.kafka.topic': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'The topic of the channel kafka, in the worker’s log; by default <topic.prefix>-signal. Signals have topic.prefix as their key.',
  },
  'signal.kafka.groupId': {
    type: 'string',
    default: 'kafka-signal',
    importance: 'low',
    group: 'Events',
    doc: 'The group under which the log remembers which signals of the topic were read.',
  },
  'signal.kafka.bootstrap.servers': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'Accepted; the topic is read from the worker’s own log.',
    noEffect: 'the topic is read from the worker’s own log',
  },
  'signal.kafka.poll.timeout.ms': {
    type: 'int',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'Accepted; the topic is followed as it is written.',
    noEffect: 'the topic is followed as it is written',
  },
  'read.only': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Connector',
    doc: 'Whether incremental snapshots write nothing to the signal table.',
  },
  'incremental.snapshot.chunk.size': {
    type: 'int',
    default: 1024,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector',
    doc: 'How many rows an incremental snapshot reads, and holds in memory, at a time.',
  },
  'incremental.snapshot.watermarking.strategy': {
    type: 'string',
    default: 'INSERT_INSERT',
    rule: oneOf('INSERT_INSERT', 'INSERT_DELETE'),
    importance: 'low',
    group: 'Connector',
    doc: 'Whether the end of a chunk is an insert into the signal table, or the delete of the row that began it.',
  },
  'notification.enabled.channels': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: 'Events',
    doc: 'Where notifications go: sink (a topic), log.',
  },
  'notification.sink.topic.name': {
    type: 'string',
    default: null,
    importance: 'high',
    group: 'Events',
    doc: 'The topic of the channel sink.',
  },
});
