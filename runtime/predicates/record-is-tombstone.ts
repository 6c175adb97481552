import { definePredicate } from '../api/index.ts';

/** org.apache.kafka.connect.transforms.predicates.RecordIsTombstone: the value is null. */
export default definePredicate({
  config: {},
  create: () => (record) => record.value === null || record.value === undefined,
});
