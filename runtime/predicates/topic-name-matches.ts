import { badPattern, defineConfig, definePredicate, javaPattern } from '../api/index.ts';

const config = defineConfig({
  pattern: {
    type: 'string',
    rule: { kind: 'custom', check: (value) => (value === '' ? 'String must be non-empty' : badPattern(value)) },
    importance: 'medium',
    doc: "A Java regular expression for matching against the name of a record's topic.",
  },
});

/** org.apache.kafka.connect.transforms.predicates.TopicNameMatches: of the whole name. */
export default definePredicate({
  config,
  create({ pattern }) {
    const compiled = javaPattern(pattern);
    let lastTopic: string | undefined;
    let lastAnswer = false;
    return ({ topic }) => {
      if (topic !== lastTopic) {
        lastAnswer = compiled.matches(topic);
        lastTopic = topic;
      }
      return lastAnswer;
    };
  },
});
