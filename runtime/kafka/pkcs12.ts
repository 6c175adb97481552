import { ConfigError } from '../api/index.ts';

/**
 * The certificates of a PKCS12 truststore, as PEM. OpenSSL (and so node:tls) reads only stores with a private key;
 * node-forge is loaded for this alone, and only when such a store is set.
 */
export async function certificatesOf(bytes: Buffer, password: string, location: string): Promise<string[]> {
  const { default: forge } = await import('node-forge');
  const { asn1, pkcs12, pki } = forge;
  let found;
  try {
    const store = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes.toString('binary')), false, password);
    found = store.getBags({ bagType: pki.oids['certBag'] as string })[pki.oids['certBag'] as string] ?? [];
  } catch (cause) {
    throw new ConfigError(`ssl.truststore.location: ${location} cannot be opened: ${(cause as Error).message}.`, {
      cause,
      hint: 'Check ssl.truststore.password, or export its certificates as PEM: openssl pkcs12 -in FILE -nokeys -out FILE.pem, with ssl.truststore.type=PEM.',
    });
  }
  // A certificate with a key that forge does not know (an elliptic curve) is left as it stood.
  const certificates = found.map(({ cert, asn1: raw }) => {
    const der = Buffer.from(asn1.toDer(cert ? pki.certificateToAsn1(cert) : (raw as never)).getBytes(), 'binary');
    const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  });
  if (certificates.length === 0) throw new ConfigError(`ssl.truststore.location: ${location} holds no certificate.`);
  return certificates;
}
