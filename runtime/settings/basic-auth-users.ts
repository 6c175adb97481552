/**
 * The users that REST answers, and their passwords: a properties file `name=password`. Source:
 * org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { ConfigError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import { parseJaasFile } from './jaas-file.ts';
import { parseProperties } from './java-properties.ts';
import type { BasicAuthSettings } from './worker-settings.ts';

const context = 'KafkaConnect';
const loginModule = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';

/**
 * Resolves with who asks whether that password is that user's. The file is read again when it has changed; while it
 * cannot be read or holds nobody, it is nobody's, and the log says so. Throws a ConfigError when it is so at the start.
 */
export async function openUsers(
  settings: BasicAuthSettings,
  log?: Pick<Logger, 'info' | 'error'>,
): Promise<(name: string, password: string) => Promise<boolean>> {
  const file = settings.kind === 'users' ? settings.file : await usersFileOf(settings.file);
  let users = await readUsers(file);

  async function reread(): Promise<void> {
    const stamp = await stampOf(file);
    if (stamp === users.stamp) return;
    try {
      users = await readUsers(file);
      log?.info(`${file}: read again, REST answers ${users.digests.size} users`);
    } catch (error) {
      users = { stamp, digests: new Map() };
      log?.error(`REST answers nobody until this is put right: ${(error as Error).message}`);
    }
  }

  let reading: Promise<void> | undefined;
  return async (name, password) => {
    await (reading ??= reread().finally(() => (reading = undefined)));
    // Somebody who is not there takes as long as a wrong password.
    return timingSafeEqual(digestOf(password), users.digests.get(name) ?? nobody);
  };
}

interface Users {
  /** Tells one state of the file from another; empty for no file. */
  readonly stamp: string;
  readonly digests: ReadonlyMap<string, Buffer>;
}

// Of one length whatever is compared, and of no use to whoever reads our memory elsewhere.
const salt = randomBytes(32);
const digestOf = (password: string): Buffer => createHash('sha256').update(salt).update(password).digest();
const nobody = randomBytes(32);

/** Connect lets everybody in when the file is empty; that is never meant. */
async function readUsers(file: string): Promise<Users> {
  const stamp = await stampOf(file);
  const users = await reading(file, async (text) => Object.entries(parseProperties(text)));
  if (users.length === 0) throw new ConfigError(`${file}: holds no users. Write a line NAME=PASSWORD for each.`);
  return { stamp, digests: new Map(users.map(([name, password]) => [name, digestOf(password)])) };
}

async function stampOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found === undefined ? '' : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}

async function usersFileOf(jaasFile: string): Promise<string> {
  const modules = await reading(jaasFile, async (text) => parseJaasFile(text).get(context));
  const [first, ...others] = modules ?? [];
  if (first === undefined) {
    throw new ConfigError(
      `${jaasFile}: has no context ${context} with a login module. Write: ${context} { ${loginModule} required file="FILE"; };`,
    );
  }
  const unknown = [first, ...others].find(({ module }) => module !== loginModule);
  if (unknown) throw new ConfigError(`${jaasFile}: the login module ${unknown.module} cannot run here. There is ${loginModule}.`);
  if (others.length > 0) throw new ConfigError(`${jaasFile}: the context ${context} has several login modules. Keep one.`);
  const file = first.options['file']?.trim() ?? '';
  if (file === '') throw new ConfigError(`${jaasFile}: the context ${context} names no file of users. Write: file="FILE".`);
  if (file.includes('${'))
    throw new ConfigError(`${jaasFile}: file="${file}": properties of Java's are not known here. Write the path itself.`);
  return file;
}

/** Errors name the file; none holds anything of its text that is secret. */
async function reading<T>(file: string, parse: (text: string) => Promise<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`${file}: ${code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`}.`, { cause });
  }
  try {
    return await parse(text);
  } catch (cause) {
    throw new ConfigError(`${file}: ${(cause as Error).message}.`, { cause });
  }
}
