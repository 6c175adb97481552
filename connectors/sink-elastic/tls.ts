/** `elastic.https.ssl.*` as Node's TLS options. Source: org.apache.kafka.common.config.SslConfigs. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';

import { ConfigError } from '@millrace/runtime/api';
import type { Secret } from '@millrace/runtime/api';

import { tlsPrefix } from './config-security.ts';
import type { Config } from './config.ts';

/** Throws a ConfigError that names the key; no secret is in it. */
export async function tlsOptions(values: Config): Promise<ConnectionOptions> {
  const options: ConnectionOptions = { ...(await keyOptions(values)), ...(await trustOptions(values)), ...versions(values) };
  const ciphers = values['elastic.https.ssl.cipher.suites'];
  if (ciphers !== null && ciphers.length > 0) options.ciphers = ciphers.join(':');
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new ConfigError(`${tlsPrefix}ssl.*: the key, the certificates or the ciphers cannot be used: ${(cause as Error).message}.`, {
      cause,
      hint: `Check ${tlsPrefix}ssl.keystore.*, ${tlsPrefix}ssl.key.password and ${tlsPrefix}ssl.truststore.*. JKS stores, and PKCS12 stores that Java 8 wrote, have to be converted: openssl pkcs12 -in FILE -nodes -out FILE.pem`,
    });
  }
  if (values['elastic.https.ssl.endpoint.identification.algorithm'] === '') options.checkServerIdentity = () => undefined;
  return options;
}

async function keyOptions(values: Config): Promise<SecureContextOptions> {
  const key = textOf(values['elastic.https.ssl.keystore.key']);
  const chain = textOf(values['elastic.https.ssl.keystore.certificate.chain']);
  const keyPassword = textOf(values['elastic.https.ssl.key.password']);
  const secret = keyPassword === undefined ? {} : { passphrase: keyPassword };
  if (key !== undefined || chain !== undefined) {
    if (key === undefined || chain === undefined)
      throw new ConfigError(`${tlsPrefix}ssl.keystore.key and ${tlsPrefix}ssl.keystore.certificate.chain: one needs the other.`);
    return { key: pem(key), cert: pem(chain), ...secret };
  }
  const file = await storeFile('keystore', values['elastic.https.ssl.keystore.location']);
  if (file === undefined) return {};
  if (file.isPem) return { key: file.bytes, cert: file.bytes, ...secret };
  return { pfx: file.bytes, passphrase: textOf(values['elastic.https.ssl.keystore.password']) ?? keyPassword ?? '' };
}

async function trustOptions(values: Config): Promise<SecureContextOptions> {
  const inline = textOf(values['elastic.https.ssl.truststore.certificates']);
  if (inline !== undefined) return { ca: pem(inline) };
  const file = await storeFile('truststore', values['elastic.https.ssl.truststore.location']);
  if (file === undefined) return {};
  return { ca: file.isPem ? file.bytes : await certificatesOf(file, textOf(values['elastic.https.ssl.truststore.password']) ?? '') };
}

interface StoreFile {
  readonly key: string;
  readonly location: string;
  readonly bytes: Buffer;
  readonly isPem: boolean;
}

async function storeFile(store: string, given: string | null): Promise<StoreFile | undefined> {
  const location = given?.trim() ?? '';
  if (location === '') return undefined;
  const key = `${tlsPrefix}ssl.${store}.location`;
  const bytes = await readFile(location).catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(`${key}: the file ${location} cannot be read (${cause.code}).`, { cause });
  });
  const isPem = bytes.includes('-----BEGIN ');
  if (isPem || bytes[0] === 0x30) return { key, location, bytes, isPem };
  throw new ConfigError(`${key}: ${location} is neither PKCS12 nor PEM; JKS is not supported.`, {
    hint: `Convert it: keytool -importkeystore -srckeystore ${location} -destkeystore ${location}.p12 -deststoretype PKCS12`,
  });
}

/** Node reads only PKCS12 stores with a private key; node-forge, loaded for this alone, reads them all. */
async function certificatesOf({ key, location, bytes }: StoreFile, password: string): Promise<string[]> {
  const { default: forge } = await import('node-forge');
  const { asn1, pkcs12, pki } = forge;
  try {
    const bagType = pki.oids['certBag'] as string;
    const bags = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes.toString('binary')), false, password).getBags({ bagType })[bagType] ?? [];
    return bags.map((bag) => {
      const der = asn1.toDer(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1).getBytes();
      return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der, 'binary').toString('base64')}\n-----END CERTIFICATE-----\n`;
    });
  } catch (cause) {
    throw new ConfigError(`${key}: ${location} cannot be opened: ${(cause as Error).message}.`, {
      cause,
      hint: `Check ${tlsPrefix}ssl.truststore.password.`,
    });
  }
}

function versions(values: Config): SecureContextOptions {
  const enabled = values['elastic.https.ssl.enabled.protocols'].filter((name) => /^TLSv1(\.[123])?$/.test(name)).toSorted();
  if (enabled.length === 0) throw new ConfigError(`${tlsPrefix}ssl.enabled.protocols: it names no version of TLS; write TLSv1.2,TLSv1.3.`);
  return { minVersion: enabled[0] as 'TLSv1.2', maxVersion: enabled.at(-1) as 'TLSv1.3' };
}

/** Properties files often hold a PEM on one line: with spaces, or with the two signs `\n`, for its line ends. */
function pem(text: string): string {
  const parts = /(-----BEGIN [^-]+-----)([^-]+)(-----END [^-]+-----)/g;
  return text.replaceAll('\\n', '\n').replace(parts, (_, begin: string, body: string, end: string) => {
    const lines = body.includes(':') ? body.trim() : body.trim().split(/\s+/).join('\n');
    return `${begin}\n${lines}\n${end}\n`;
  });
}

function textOf(secret: Secret | null): string | undefined {
  const text = secret?.reveal() ?? '';
  return text.trim() === '' ? undefined : text;
}
