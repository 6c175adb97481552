import { DataError, ValueStruct, defineConfig, defineTransform, isStruct, structSchema } from '../../api/index.ts';
import type { ConnectRecord, Schema, StructSchema } from '../../api/index.ts';
import { expandJson } from '../outbox/expand-json.ts';
import { perSchema } from '../record-side.ts';

const config = defineConfig({
  'fields.null.include': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Defines whether to include fields with null values to the decoded structure',
  },
});

const messageValue = 'io.debezium.connector.postgresql.MessageValue';

/**
 * io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent: of what pg_logical_emit_message
 * wrote, the JSON in its content as the row of an insert, for EventRouter to take on. All else passes as it is,
 * tombstones too, on which Debezium fails.
 */
export default defineTransform({
  config,
  create({ 'fields.null.include': nullAsBytes }) {
    const eventSchema = perSchema((message: StructSchema) => perSchema((content: Schema) => eventOf(message, content)));
    return <R extends ConnectRecord>(record: R): R => {
      const { value, valueSchema } = record;
      if (valueSchema?.name !== messageValue || !isStruct(value)) return record;
      const message = value.get('message');
      const bytes = isStruct(message) ? message.get('content') : null;
      if (!(bytes instanceof Uint8Array)) {
        throw new DataError(
          `topic ${record.topic}: the content of a logical decoding message is non-binary; set binary.handling.mode=bytes for it to be decoded`,
        );
      }
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
      const content = expandJson(text, undefined, { nullAsBytes });
      if (content === undefined || content.schema === null) {
        throw new DataError(`topic ${record.topic}: the content of a logical decoding message is no JSON object: ${text.slice(0, 80)}`);
      }
      const schema = eventSchema(value.schema)(content.schema);
      const items = schema.fields.map(({ name }) => (name === 'after' ? content.value : name === 'op' ? 'c' : value.get(name)));
      return { ...record, keySchema: null, key: null, valueSchema: schema, value: new ValueStruct(schema, items) };
    };
  },
});

/** The message's schema with the content as `after` in place of the message. */
function eventOf(message: StructSchema, content: Schema): StructSchema {
  const kept = message.fields.filter(({ name }) => name !== 'message').map((field) => [field.name, field.schema] as const);
  return structSchema([...kept, ['after', content]], { name: `${messageValue}.Envelope` });
}
