import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SASLOptions } from '@platformatic/kafka';
import { ConfigError } from '../api/index.ts';
import { parseJaas } from './jaas.ts';
import { textOf } from './setting-values.ts';
import type { Settings } from './setting-values.ts';

/** The module of a mechanism, the last part of its class name. */
const loginModules = {
  PLAIN: 'PlainLoginModule',
  'SCRAM-SHA-256': 'ScramLoginModule',
  'SCRAM-SHA-512': 'ScramLoginModule',
  OAUTHBEARER: 'OAuthBearerLoginModule',
} as const;

type Mechanism = keyof typeof loginModules;

/** Translates `sasl.mechanism` and `sasl.jaas.config`. Throws a ConfigError; no secret is in it. */
export function saslOptions(settings: Settings): SASLOptions {
  const mechanism = (textOf(settings, 'sasl.mechanism') ?? 'GSSAPI').trim().toUpperCase();
  if (mechanism === 'GSSAPI') {
    throw new ConfigError('sasl.mechanism: GSSAPI (Kerberos, also the default) is not supported.', {
      hint: 'Give the brokers a listener with SCRAM-SHA-512 or TLS client certificates, and set sasl.mechanism, or security.protocol=SSL.',
    });
  }
  if (!(mechanism in loginModules)) {
    throw new ConfigError(`sasl.mechanism: "${mechanism}" is not supported.`, {
      hint: `Take one of ${Object.keys(loginModules).join(', ')}.`,
    });
  }
  for (const key of ['sasl.login.callback.handler.class', 'sasl.client.callback.handler.class', 'sasl.login.class']) {
    if (textOf(settings, key) !== undefined && mechanism !== 'OAUTHBEARER') {
      throw new ConfigError(`${key}: Java classes cannot be loaded.`, { hint: 'Write the user and the password into sasl.jaas.config.' });
    }
  }
  return mechanism === 'OAUTHBEARER' ? bearerOptions(settings) : passwordOptions(mechanism as Mechanism, settings);
}

function passwordOptions(mechanism: Mechanism, settings: Settings): SASLOptions {
  const text = textOf(settings, 'sasl.jaas.config');
  const expected = loginModules[mechanism];
  const example = `org.apache.kafka.common.security.${mechanism === 'PLAIN' ? 'plain' : 'scram'}.${expected} required username="…" password="…";`;
  if (text === undefined) {
    throw new ConfigError(`sasl.jaas.config: ${mechanism} needs a user and a password.`, {
      hint: `Set it to: ${example} (the JVM's java.security.auth.login.config file is not read).`,
    });
  }
  const { loginModule, options } = parseJaas(text);
  if (loginModule.split('.').at(-1) !== expected) {
    throw new ConfigError(`sasl.jaas.config: "${loginModule}" does not fit sasl.mechanism=${mechanism}.`, { hint: `Write: ${example}` });
  }
  if (options['tokenauth'] === 'true') throw new ConfigError('sasl.jaas.config: delegation tokens (tokenauth) are not supported.');
  const { username, password } = options;
  if (username === undefined || password === undefined) {
    throw new ConfigError(`sasl.jaas.config: ${username === undefined ? 'username' : 'password'} is missing.`, {
      hint: `Write: ${example}`,
    });
  }
  return { mechanism, username, password };
}

/** A token in a file, read again at each login, as the JVM client does for a `file:` endpoint. */
function bearerOptions(settings: Settings): SASLOptions {
  const endpoint = textOf(settings, 'sasl.oauthbearer.token.endpoint.url')?.trim();
  if (endpoint === undefined || !endpoint.startsWith('file:')) {
    throw new ConfigError('sasl.oauthbearer.token.endpoint.url: only a file: URL is supported for OAUTHBEARER.', {
      hint: 'Let another program renew the token in that file, or take SCRAM-SHA-512.',
    });
  }
  return {
    mechanism: 'OAUTHBEARER',
    token: async () => {
      try {
        return (await readFile(fileURLToPath(endpoint), 'utf8')).trim();
      } catch (cause) {
        throw new ConfigError(`sasl.oauthbearer.token.endpoint.url: the file ${endpoint} cannot be read.`, { cause });
      }
    },
  };
}
