import { defineConfig, defineTransform } from '../api/index.ts';
import type { Header } from '../api/index.ts';

const config = defineConfig({
  headers: { type: 'list', rule: { kind: 'not-empty' }, importance: 'high', doc: 'The name of the headers to be removed.' },
});

/** org.apache.kafka.connect.transforms.DropHeaders. */
export default defineTransform({
  config,
  create({ headers }) {
    const dropped = new Set(headers);
    const known = new WeakMap<readonly Header[], readonly Header[]>();
    return (record) => {
      let kept = known.get(record.headers);
      if (kept === undefined) {
        const left = record.headers.filter(({ key }) => !dropped.has(key));
        kept = left.length === record.headers.length ? record.headers : left;
        known.set(record.headers, kept);
      }
      return kept === record.headers ? record : { ...record, headers: kept };
    };
  },
});
