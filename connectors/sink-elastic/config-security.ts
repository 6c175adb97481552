/** Keys of the peer's groups Security and Kerberos. Sources: ElasticsearchSinkConnectorConfig, Kafka's SslConfigs. */
import { defineConfig } from '@millrace/runtime/api';

import { check, low, oneOf } from './config-rules.ts';

export const tlsPrefix = 'elastic.https.';

const java = (doc: string, fallback: string | null) =>
  low('Security', doc, { type: 'string', default: fallback, noEffect: "it chooses parts of Java's TLS, and Node's is used" });
const text = (doc: string, fallback: string | null = null) => low('Security', doc, { type: 'string', default: fallback });
const secret = (doc: string) => low('Security', doc, { type: 'password', default: null });
const kerberos = low('Kerberos', 'Not supported.', {
  type: 'string',
  default: null,
  rule: check((value) =>
    value === ''
      ? undefined
      : 'Kerberos is not supported: remove it, and use connection.username and connection.password, or connection.api.key',
  ),
});

export const securityKeys = defineConfig({
  'elastic.security.protocol': {
    type: 'string',
    default: 'PLAINTEXT',
    importance: 'medium',
    group: 'Security',
    rule: oneOf('PLAINTEXT', 'SSL'),
    doc: 'SSL: elastic.https.* holds for connections by https.',
  },
  'elastic.https.ssl.truststore.location': text('The certificates that are trusted: a PKCS12 or PEM file.'),
  'elastic.https.ssl.truststore.password': secret('Its password.'),
  'elastic.https.ssl.truststore.type': text('PKCS12 or PEM; JKS is not supported.', 'JKS'),
  'elastic.https.ssl.truststore.certificates': secret('The certificates that are trusted, as PEM.'),
  'elastic.https.ssl.keystore.location': text('Our own key and certificate: a PKCS12 or PEM file.'),
  'elastic.https.ssl.keystore.password': secret('Its password.'),
  'elastic.https.ssl.keystore.type': text('PKCS12 or PEM; JKS is not supported.', 'JKS'),
  'elastic.https.ssl.keystore.key': secret('Our own key, as PEM.'),
  'elastic.https.ssl.keystore.certificate.chain': secret('Our own certificate and those of its issuers, as PEM.'),
  'elastic.https.ssl.key.password': secret('The password of our own key.'),
  'elastic.https.ssl.enabled.protocols': low('Security', 'The versions of TLS.', { type: 'list', default: ['TLSv1.2', 'TLSv1.3'] }),
  'elastic.https.ssl.cipher.suites': low('Security', "The cipher suites, by OpenSSL's names.", { type: 'list', default: null }),
  'elastic.https.ssl.endpoint.identification.algorithm': text('Empty: the certificate may be for any host.', 'https'),
  'elastic.https.ssl.protocol': java('The TLS protocol.', 'TLSv1.3'),
  'elastic.https.ssl.provider': java('The security provider.', null),
  'elastic.https.ssl.keymanager.algorithm': java('The key manager.', 'SunX509'),
  'elastic.https.ssl.trustmanager.algorithm': java('The trust manager.', 'PKIX'),
  'elastic.https.ssl.secure.random.implementation': java('The source of random numbers.', null),
  'elastic.https.ssl.engine.factory.class': low('Security', 'Not supported.', {
    type: 'class',
    default: null,
    rule: check((value) => (value === '' ? undefined : 'It is a Java class: remove it, and set elastic.https.ssl.truststore.location')),
  }),
  'kerberos.user.principal': kerberos,
  'kerberos.keytab.path': kerberos,
});
