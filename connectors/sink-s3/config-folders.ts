/** Keys of the folders that records go to, and of what is written beside their values. */
import { defineConfig } from '@millrace/runtime/api';
import { formatClasses, headerFormatClasses, knownClass, partitionerClasses } from './config-classes.ts';
import { fieldNames, oneOf, timeZoneRule } from './config-rules.ts';

const partitioner = 'io.confluent.connect.storage.partitioner';
const format = 'io.confluent.connect.s3.format';

const partitionerKeys = defineConfig({
  'partitioner.class': {
    type: 'class',
    default: `${partitioner}.DefaultPartitioner`,
    rule: knownClass(partitionerClasses),
    importance: 'high',
    group: 'Partitioner',
    doc: 'Which folder a record goes to: Default, Field, TimeBased, Daily or HourlyPartitioner.',
    dependents: ['partition.field.name', 'partition.duration.ms', 'path.format', 'locale', 'timezone'],
  },
  'partition.field.name': {
    type: 'list',
    default: [],
    rule: fieldNames,
    importance: 'medium',
    group: 'Partitioner',
    doc: 'Fields of the value that FieldPartitioner makes folders of.',
  },
  'partition.duration.ms': {
    type: 'long',
    default: -1,
    importance: 'medium',
    group: 'Partitioner',
    doc: 'How long a folder of TimeBasedPartitioner lasts.',
  },
  'path.format': {
    type: 'string',
    default: '',
    importance: 'medium',
    group: 'Partitioner',
    doc: "Folders of TimeBasedPartitioner, as a Joda-Time pattern such as 'year'=YYYY/'month'=MM.",
  },
  locale: {
    type: 'string',
    default: '',
    importance: 'medium',
    group: 'Partitioner',
    doc: 'Language of month and day names in path.format.',
  },
  timezone: {
    type: 'string',
    default: '',
    rule: timeZoneRule,
    importance: 'medium',
    group: 'Partitioner',
    doc: 'Time zone of the folders, and of rotate.schedule.interval.ms.',
  },
  'timestamp.extractor': {
    type: 'string',
    default: 'Wallclock',
    rule: { kind: 'one-of', values: ['Wallclock', 'Record', 'RecordField'] },
    importance: 'medium',
    group: 'Partitioner',
    doc: 'Where time-based partitioners take the time from: the clock (records may be doubled after a crash), the record, or a field of its value.',
  },
  'timestamp.field': {
    type: 'string',
    default: 'timestamp',
    importance: 'medium',
    group: 'Partitioner',
    doc: 'The field that RecordField reads.',
  },
  's3.schema.partition.affix.type': {
    type: 'string',
    default: 'NONE',
    rule: { kind: 'one-of', values: ['NONE', 'PREFIX', 'SUFFIX'] },
    importance: 'low',
    group: 'S3',
    doc: 'Puts schema_name=NAME before or after the folders.',
  },
});

const recordKeys = defineConfig({
  'behavior.on.null.values': {
    type: 'string',
    default: 'fail',
    rule: oneOf('ignore', 'fail', 'write'),
    importance: 'low',
    group: 'S3',
    doc: 'Records without a value: skip them, fail, or write their keys to the tombstone folder.',
  },
  'report.null.values.to.dlq': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'S3',
    doc: 'Whether skipped records without a value go to the dead-letter queue; needs errors.tolerance=all.',
  },
  'tombstone.encoded.partition': {
    type: 'string',
    default: 'tombstone',
    importance: 'low',
    group: 'S3',
    doc: 'The folder for records without a value.',
  },
  'store.kafka.keys': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Keys and Headers',
    doc: 'Whether keys are written to files of their own.',
    dependents: ['keys.format.class'],
  },
  'store.kafka.headers': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Keys and Headers',
    doc: 'Whether headers are written to files of their own.',
    dependents: ['headers.format.class'],
  },
  'keys.format.class': {
    type: 'class',
    default: `${format}.avro.AvroFormat`,
    rule: knownClass(formatClasses),
    importance: 'low',
    group: 'Keys and Headers',
    doc: 'Format of the key files.',
  },
  'headers.format.class': {
    type: 'class',
    default: `${format}.avro.AvroFormat`,
    rule: knownClass(headerFormatClasses),
    importance: 'low',
    group: 'Keys and Headers',
    doc: 'Format of the header files.',
  },
});

export const folderKeys = { ...partitionerKeys, ...recordKeys };
