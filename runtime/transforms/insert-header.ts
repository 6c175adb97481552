import { defineConfig, defineTransform } from '../api/index.ts';
import type { Header } from '../api/index.ts';
import { literalValue } from './literal-value.ts';

const config = defineConfig({
  header: { type: 'string', importance: 'high', doc: 'The name of the header.' },
  'value.literal': { type: 'string', importance: 'high', doc: 'The literal value that is to be set as the header value on all records.' },
});

/** org.apache.kafka.connect.transforms.InsertHeader; the type of the value is inferred from its text. */
export default defineTransform({
  config,
  create(values) {
    const added: Header = { key: values.header, ...literalValue(values['value.literal']) };
    // Equal lists of headers stay one list, since their bytes are cached by identity.
    const known = new WeakMap<readonly Header[], readonly Header[]>();
    return (record) => {
      let headers = known.get(record.headers);
      if (headers === undefined) known.set(record.headers, (headers = [...record.headers, added]));
      return { ...record, headers };
    };
  },
});
