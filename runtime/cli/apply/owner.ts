/**
 * Which connectors are a folder's own. A key in the connector's config says so, since that is the one thing that every
 * Kafka Connect keeps, hands out, and deletes together with the connector.
 */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { ConfigError } from '../../api/index.ts';

/** The marker in a connector's config; its value is the owner. Unknown keys are allowed there. */
export const ownerKey = 'millrace.apply.owner';

export const ownerFile = '.millrace-apply.json';

export interface Owner {
  readonly name: string;
  /** The folder's own name, which another folder may have too. */
  readonly isDefault: boolean;
}

/** `--owner`, or `{"owner": "…"}` in the folder's `.millrace-apply.json`, or the folder's name. Throws a ConfigError. */
export async function ownerOf(folder: string, given: string | undefined): Promise<Owner> {
  if (given !== undefined) return { name: checked(given, '--owner'), isDefault: false };
  const written = await writtenOwner(join(folder, ownerFile));
  return written === undefined ? { name: basename(resolve(folder)) || 'root', isDefault: true } : { name: written, isDefault: false };
}

async function writtenOwner(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${file}: is not JSON; it must be {"owner": "NAME"}.`, { cause: error });
  }
  const owner = (value as { owner?: unknown } | null)?.owner;
  if (typeof owner !== 'string') throw new ConfigError(`${file}: must be {"owner": "NAME"}.`);
  return checked(owner, file);
}

function checked(owner: string, where: string): string {
  if (/^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$/u.test(owner) && owner.length <= 200 && !owner.includes('${')) return owner;
  throw new ConfigError(`${where}: an owner's name has 1 to 200 characters, no \${…}, and no white space at its ends.`);
}
