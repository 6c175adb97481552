/** What a worker file says of REST: where it listens, with which certificates, and who may ask. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { TypedValues } from './typed-values.ts';
import { basicAuthClasses } from './worker-keys.ts';
import type { BasicAuthSettings, RestSettings, RestTls } from './worker-settings.ts';

/** Throws a ConfigError. */
export function restSettings(config: RawConfig, values: TypedValues, environment: NodeJS.ProcessEnv): RestSettings {
  const basicAuth = basicAuthOf(config, values, environment);
  return {
    listeners: listeners(values, 'listeners'),
    adminListeners: config['admin.listeners'] === undefined ? undefined : listeners(values, 'admin.listeners'),
    advertisedHost: values.optional('rest.advertised.host.name'),
    advertisedPort: values.optional('rest.advertised.port') === undefined ? undefined : values.number('rest.advertised.port'),
    advertisedListener:
      values.optional('rest.advertised.listener') === undefined
        ? undefined
        : (values.choice('rest.advertised.listener') as 'http' | 'https'),
    tls: tlsOf(config, values, 'listeners.https.'),
    adminTls: tlsOf(config, values, 'admin.listeners.https.'),
    basicAuth,
    alwaysSigned: basicAuth !== undefined,
    origins: { allowed: values.list('access.control.allow.origin'), methods: values.list('access.control.allow.methods') },
    responseHeaders: values.text('response.http.headers.config'),
  };
}

/** What was set for REST and has no effect, or has one that surprises. */
export function restWarnings(rest: RestSettings, config: RawConfig, protocol: string | undefined): readonly string[] {
  const secure = (all: readonly string[] | undefined): boolean => all?.some((each) => /^https:/i.test(each)) ?? false;
  const [main, admin] = [secure(rest.listeners), secure(rest.adminListeners)];
  // Calls to other workers are made with the same settings.
  const none = (what: string): string => `${what} has no effect: no listener there is https.`;
  const set = (prefix: string): readonly string[] => Object.keys(config).filter((key) => key.startsWith(prefix));
  return [
    ...(main || rest.advertisedListener === 'https' ? [] : set('listeners.https.').map(none)),
    ...(admin ? [] : set('admin.listeners.https.').map(none)),
    ...(main || admin || (config['ssl.client.auth'] ?? 'none').trim().toLowerCase() === 'none' ? [] : [none('ssl.client.auth')]),
    ...(config['java.security.auth.login.config'] !== undefined && rest.basicAuth?.kind !== 'jaas'
      ? ['java.security.auth.login.config has no effect without rest.extension.classes.']
      : []),
    ...(rest.basicAuth !== undefined && protocol !== undefined && protocol !== 'sessioned'
      ? [
          `connect.protocol=${protocol}: workers share no key with it, and with authentication on their calls to the leader must be signed: ` +
            'new task configs come through only from connectors that the leader itself runs. Use sessioned.',
        ]
      : []),
  ];
}

/** Whether the `ssl.*` keys without a prefix count for REST, as they do for the Kafka client. */
export function sharesTls(config: RawConfig): boolean {
  const uses = (name: string, prefix: string): boolean =>
    /\bhttps:\/\//i.test(config[name] ?? '') && !Object.keys(config).some((key) => key.startsWith(prefix));
  return uses('listeners', 'listeners.https.') || uses('admin.listeners', 'admin.listeners.https.');
}

function listeners(values: TypedValues, name: string): readonly string[] {
  const list = values.list(name);
  for (const listener of list) {
    if (!/^https?:\/\/(\[[^\]]*\]|[^:/]*):\d+\/?$/i.test(listener)) {
      throw new ConfigError(
        `Invalid value ${listener} for configuration ${name}: write http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:8083`,
      );
    }
  }
  if (list.length === 0 && name === 'listeners')
    throw new ConfigError('Invalid value  for configuration listeners: at least one is needed.');
  return list;
}

/** All with the prefix, or all without. Source: AbstractConfig.valuesWithPrefixAllOrNothing. */
function tlsOf(config: RawConfig, values: TypedValues, prefix: string): RestTls {
  const prefixed = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  const settings =
    prefixed.length > 0 ? prefixed.map(([key, value]) => [key.slice(prefix.length), value] as const) : Object.entries(config);
  const ssl: Record<string, string> = Object.fromEntries(settings.filter(([key]) => key.startsWith('ssl.')));
  const auth = ssl['ssl.client.auth'];
  if (prefixed.length === 0) values.choice('ssl.client.auth');
  else if (auth !== undefined && !['none', 'requested', 'required'].includes(auth.trim().toLowerCase())) {
    throw new ConfigError(`Invalid value ${auth} for configuration ${prefix}ssl.client.auth: must be one of none, requested, required`);
  }
  return { prefix: prefixed.length > 0 ? prefix : '', settings: ssl };
}

function basicAuthOf(config: RawConfig, values: TypedValues, environment: NodeJS.ProcessEnv): BasicAuthSettings | undefined {
  const usersFile = values.optional('millrace.rest.basic.auth.file');
  if (!basicAuthClasses.includes(config['rest.extension.classes']?.trim() ?? '')) {
    return usersFile === undefined ? undefined : { kind: 'users', file: usersFile };
  }
  if (usersFile !== undefined) {
    throw new ConfigError('rest.extension.classes and millrace.rest.basic.auth.file both say who may call REST. Keep one of them.');
  }
  const file = values.optional('java.security.auth.login.config') ?? loginConfigOf(environment['KAFKA_OPTS'] ?? '');
  if (file !== undefined) return { kind: 'jaas', file };
  throw new ConfigError(
    'rest.extension.classes: basic authentication needs a JAAS file. Name it with java.security.auth.login.config=FILE here, or with ' +
      '-Djava.security.auth.login.config=FILE in the environment variable KAFKA_OPTS; or set millrace.rest.basic.auth.file instead.',
  );
}

/** The last one counts, as in Java; a `file:` URL is one of the ways to write it there. */
function loginConfigOf(options: string): string | undefined {
  const found = [...options.matchAll(/(?:^|[\s"'])-Djava\.security\.auth\.login\.config==?([^\s"']+)/g)].at(-1)?.[1];
  return found?.replace(/^file:(\/\/(?=\/))?/, '');
}
