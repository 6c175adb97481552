import { badPattern, defineConfig, defineTransform, javaPattern } from '../api/index.ts';

const config = defineConfig({
  regex: {
    type: 'string',
    importance: 'high',
    doc: 'Regular expression to use for matching.',
    rule: { kind: 'custom', check: badPattern },
  },
  replacement: { type: 'string', importance: 'high', doc: 'Replacement string.' },
});

/** org.apache.kafka.connect.transforms.RegexRouter: a topic that matches as a whole gets its first match replaced. */
export default defineTransform({
  config,
  create({ regex, replacement }) {
    const route = topicRouter(regex, replacement);
    return (record) => {
      const topic = route(record.topic);
      return topic === record.topic ? record : { ...record, topic };
    };
  },
});

/** Remembers what topics become, since there are few of them; bounded, as a topic may come from data. */
export function topicRouter(regex: string, replacement: string): (topic: string) => string {
  const pattern = javaPattern(regex);
  const known = new Map<string, string>();
  return (topic) => {
    let routed = known.get(topic);
    if (routed === undefined) {
      routed = pattern.matches(topic) ? pattern.replaceFirst(topic, replacement) : topic;
      if (known.size >= 1000) known.clear();
      known.set(topic, routed);
    }
    return routed;
  };
}
