import { ConfigError, defineConfig, defineTransform } from '../../api/index.ts';

const config = defineConfig({
  language: { type: 'string', default: null, importance: 'high', doc: 'The language of the script.' },
  condition: { type: 'string', default: null, importance: 'high', doc: 'The script that says which records stay.' },
  'topic.expression': { type: 'string', default: null, importance: 'high', doc: 'The script that names the topic.' },
  'topic.regex': { type: 'string', default: null, importance: 'medium', doc: 'Topics that it is about.' },
  'null.handling.mode': { type: 'string', default: 'keep', importance: 'low', doc: 'What happens to records without a value.' },
});

/** Throws a ConfigError always: scripts for the JVM do not run here. */
function refused(what: string, instead: string) {
  return defineTransform({
    config,
    create() {
      throw new ConfigError(`${what} runs scripts of the JVM (Groovy and the like), which do not run here.`, { hint: instead });
    },
  });
}

/** io.debezium.transforms.Filter. */
export const filter = refused(
  'io.debezium.transforms.Filter',
  'Use org.apache.kafka.connect.transforms.Filter with a predicate, or the filters of the connector (table.include.list, skipped.operations).',
);

/** io.debezium.transforms.ContentBasedRouter. */
export const contentBasedRouter = refused(
  'io.debezium.transforms.ContentBasedRouter',
  'Use ByLogicalTableRouter or RegexRouter, ExtractNewRecordState with route.by.field, or a transform of your own (docs/writing-a-connector.md).',
);
