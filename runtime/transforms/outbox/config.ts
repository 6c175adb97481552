import { defineConfig } from '../../api/index.ts';

/** io.debezium.transforms.outbox.EventRouterConfigDefinition. */
export const outboxConfig = defineConfig({
  'table.field.event.id': {
    type: 'string',
    default: 'id',
    importance: 'low',
    doc: 'The column which contains the event ID within the outbox table',
  },
  'table.field.event.key': {
    type: 'string',
    default: 'aggregateid',
    importance: 'low',
    doc: 'The column which contains the event key within the outbox table',
  },
  'table.field.event.type': {
    type: 'string',
    default: 'type',
    importance: 'low',
    doc: 'The column which contains the event type within the outbox table',
  },
  'table.field.event.payload': {
    type: 'string',
    default: 'payload',
    importance: 'low',
    doc: 'The column which contains the event payload within the outbox table',
  },
  'table.field.event.timestamp': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: "Optionally you can override the Kafka message timestamp with a value from a chosen column, otherwise it'll be the Debezium event processed timestamp.",
  },
  'table.field.event.schema.version': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The column which contains the event schema version within the outbox table',
  },
  'table.fields.additional.placement': {
    type: 'list',
    default: [],
    importance: 'high',
    doc: 'Extra fields can be added as part of the event envelope or a message header, format is a list of colon-delimited pairs or trios when you desire to have aliases, e.g. <code>id:header,field_name:envelope:alias</code>',
  },
  'table.fields.additional.error.on.missing': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'When transforming the fields in table.fields.additional.placement, should the transformation throw an exception if one of the fields is missing in the change data',
  },
  'table.expand.json.payload': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether or not to try unescaping a JSON string into real JSON. It will infer schema information from payload and update the record schema accordingly. If content is not JSON, it just produces a warning and emits the record unchanged',
  },
  'table.json.payload.null.behavior': {
    type: 'string',
    default: 'ignore',
    rule: { kind: 'one-of', values: ['ignore', 'optional_bytes'], ignoreCase: true },
    importance: 'medium',
    doc: 'Behavior when json payload including null value, the default will ignore null, optional_bytes will keep the null value, and treat null as optional bytes of connect.',
  },
  'table.op.invalid.behavior': {
    type: 'string',
    default: 'warn',
    rule: { kind: 'one-of', values: ['warn', 'error', 'fatal'], ignoreCase: true },
    importance: 'medium',
    doc: "While Debezium is monitoring the table, it's expecting only to see 'create' row events, in case something else is processed this transform can log it as warning, error or stop the process",
  },
  'route.by.field': {
    type: 'string',
    default: 'aggregatetype',
    importance: 'high',
    doc: 'The column which determines how the events will be routed, the value will become part of the topic name',
  },
  'route.topic.regex': {
    type: 'string',
    default: '(?<routedByValue>.*)',
    importance: 'low',
    doc: "The default regex to use within the RegexRouter, the default capture will allow to replace the routed field into a new topic name defined in 'route.topic.replacement'",
  },
  'route.topic.replacement': {
    type: 'string',
    default: 'outbox.event.${routedByValue}',
    importance: 'high',
    doc: "The name of the topic in which the events will be routed, a replacement '${routedByValue}' is available which is the value of The column configured via 'route.by.field'",
  },
  'route.tombstone.on.empty.payload': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc: 'Whether or not an empty payload should cause a tombstone event.',
  },
  'tracing.span.context.field': {
    type: 'string',
    default: 'tracingspancontext',
    importance: 'low',
    doc: 'Accepted for compatibility; no spans are made.',
  },
  'tracing.operation.name': {
    type: 'string',
    default: 'debezium-read',
    importance: 'low',
    doc: 'Accepted for compatibility; no spans are made.',
  },
  'tracing.with.context.field.only': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Accepted for compatibility; no spans are made.',
  },
});
