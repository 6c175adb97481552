import { defineTransform } from '../api/index.ts';

/** org.apache.kafka.connect.transforms.Filter: drops every record; a predicate says which it gets. */
export default defineTransform({ config: {}, create: () => () => null });
