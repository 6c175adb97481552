import { arraySchema, defineConfig, defineTransform, isStruct, sameValue, schemas } from '../../api/index.ts';
import type { ConnectRecord, Header } from '../../api/index.ts';
import { eventOf } from './change-event.ts';

const config = defineConfig({
  'header.changed.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The header that lists the columns that an update changed; without a name there is none.',
  },
  'header.unchanged.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The header that lists the columns that an update left as they were; without a name there is none.',
  },
});

/**
 * io.debezium.transforms.ExtractChangedRecordState: tells in headers which columns a change changed. It takes both
 * rows for that: REPLICA IDENTITY FULL, in PostgreSQL; without, the lists are empty.
 */
export default defineTransform({
  config,
  create(values) {
    const headers = (['header.changed.name', 'header.unchanged.name'] as const).flatMap((key) => {
      const name = values[key] ?? '';
      const schema = arraySchema(schemas.optionalString, { optional: true, name });
      return name.trim() === '' ? [] : [{ name, schema, changed: key === 'header.changed.name' }];
    });
    return <R extends ConnectRecord>(record: R): R => {
      const event = eventOf(record);
      if (event === undefined || headers.length === 0) return record;
      const [before, after] = [event.get('before'), event.get('after')];
      const changed: string[] = [];
      const unchanged: string[] = [];
      if (isStruct(before) && isStruct(after)) {
        for (const { name } of after.schema.fields) (sameValue(before.get(name), after.get(name)) ? unchanged : changed).push(name);
      }
      const added = headers.map(({ name, schema, changed: of }): Header => ({ key: name, schema, value: of ? changed : unchanged }));
      return { ...record, headers: [...record.headers, ...added] };
    };
  },
});
