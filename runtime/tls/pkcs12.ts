/**
 * PKCS12 stores, read by node-forge, which is loaded for this alone. OpenSSL (and so node:tls) reads only stores with
 * a private key, none that are encrypted in Java 8's way, and it trusts every certificate of a key store as an
 * authority; here a key store is for showing who we are, and says nothing of whom we trust.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';

import { ConfigError } from '../api/index.ts';

export interface KeyAndChain {
  /** PEM, not encrypted. */
  readonly key: string;
  /** PEM: the key's own certificate, then each one's issuer as far as the store has them. */
  readonly cert: string;
}

/** What a message says of the store: `key` is the setting that names it, such as `ssl.truststore.location`. */
export interface StoreSource {
  readonly key: string;
  readonly location: string;
  readonly bytes: Buffer;
  readonly password: string;
}

/** The certificates of a truststore, as PEM. Throws a ConfigError without the password. */
export async function certificatesOf(source: StoreSource): Promise<string[]> {
  const { certificates } = await open(source);
  if (certificates.length === 0) throw new ConfigError(`${source.key}: ${source.location} holds no certificate.`);
  return certificates;
}

/** The private key of a keystore and its certificates. Throws a ConfigError without the password. */
export async function keyAndChainOf(source: StoreSource): Promise<KeyAndChain> {
  const { keys, certificates } = await open(source);
  const all = certificates.map((pem) => ({ pem, certificate: new X509Certificate(pem) }));
  for (const key of keys) {
    const privateKey = createPrivateKey(key);
    const own = all.find(({ certificate }) => certificate.checkPrivateKey(privateKey));
    if (own === undefined) continue;
    const chain = [own];
    for (;;) {
      const last = chain.at(-1)?.certificate as X509Certificate;
      const issuer = all.find((each) => !chain.includes(each) && last.checkIssued(each.certificate));
      if (issuer === undefined) break;
      chain.push(issuer);
    }
    return { key, cert: chain.map(({ pem }) => pem).join('') };
  }
  throw new ConfigError(`${source.key}: ${source.location} holds no private key with its certificate.`);
}

async function open({ key, location, bytes, password }: StoreSource): Promise<{ keys: string[]; certificates: string[] }> {
  const { default: forge } = await import('node-forge');
  const { asn1, pkcs12, pki } = forge;
  const { certBag, keyBag, pkcs8ShroudedKeyBag } = pki.oids as Record<'certBag' | 'keyBag' | 'pkcs8ShroudedKeyBag', string>;
  try {
    const store = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes.toString('binary')), false, password);
    const bags = (bagType: string) => store.getBags({ bagType })[bagType] ?? [];
    const pem = (label: string, value: unknown): string => {
      const lines = Buffer.from(asn1.toDer(value as never).getBytes(), 'binary')
        .toString('base64')
        .replace(/.{64}(?=.)/g, '$&\n');
      return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
    };
    return {
      // What forge does not know (elliptic curves) it leaves as it stood.
      keys: [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)].map((bag) =>
        pem('PRIVATE KEY', bag.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key)) : bag.asn1),
      ),
      certificates: bags(certBag).map((bag) => pem('CERTIFICATE', bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1)),
    };
  } catch (cause) {
    const store = key.replace(/\.location$/, '');
    throw new ConfigError(`${key}: ${location} cannot be opened: ${(cause as Error).message}.`, {
      cause,
      hint: `Check ${store}.password, or write what is in it as PEM: openssl pkcs12 -in FILE -nodes -out FILE.pem, with ${store}.type=PEM.`,
    });
  }
}
