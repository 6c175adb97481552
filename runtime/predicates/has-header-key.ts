import { defineConfig, definePredicate } from '../api/index.ts';

const config = defineConfig({
  name: { type: 'string', rule: { kind: 'not-empty' }, importance: 'medium', doc: 'The header name.' },
});

/** org.apache.kafka.connect.transforms.predicates.HasHeaderKey. */
export default definePredicate({
  config,
  create:
    ({ name }) =>
    (record) =>
      record.headers.some(({ key }) => key === name),
});
