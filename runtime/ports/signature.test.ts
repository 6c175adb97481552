import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultKeyBytes, signatureFits, signatureOf } from './signature.ts';

const key = Buffer.from('56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=', 'base64');

test('signatures are those that Kafka Connect makes', () => {
  assert.equal(signatureOf(key, Buffer.from('[]'), 'HmacSHA256'), 'T3NDQKXeBjy7Ykzx0wcNysQEQc4RbkFO+fN/nX7051I=');
  assert.equal(signatureOf(key, Buffer.alloc(0), 'hmacsha256'), 'f3LgAtuZiHEdy18RolD6BtkBychC9j0Pdqm9YhNFgZU=');
});

test('a signature fits its own body, key and algorithm alone', () => {
  const body = Buffer.from('[{"a":"b"}]');
  const signature = signatureOf(key, body, 'HmacSHA512');
  assert.ok(signatureFits(signature, key, body, 'HmacSHA512'));
  assert.ok(!signatureFits(signature, key, Buffer.from('[{"a":"c"}]'), 'HmacSHA512'));
  assert.ok(!signatureFits(signature, key.subarray(1), body, 'HmacSHA512'));
  assert.ok(!signatureFits(signature, key, body, 'HmacSHA256'));
  assert.ok(!signatureFits('no base64 ?', key, body, 'HmacSHA256'));
});

test('an unknown algorithm is named', () => {
  assert.throws(() => signatureOf(key, Buffer.alloc(0), 'RSA'), /no signature algorithm RSA/);
  assert.throws(() => defaultKeyBytes('constructor'), /no signature algorithm/);
});
