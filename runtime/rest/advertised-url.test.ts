import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { advertisedUrl } from './advertised-url.ts';
import type { Advertised, ListenerAddress } from './advertised-url.ts';

const none: Advertised = { advertisedHost: undefined, advertisedPort: undefined, advertisedListener: undefined };
const http: ListenerAddress = { scheme: 'http', host: '10.0.0.1', port: 8083 };
const https: ListenerAddress = { scheme: 'https', host: '10.0.0.2', port: 8443 };
const urlOf = (settings: Partial<Advertised>, ...addresses: ListenerAddress[]): string =>
  advertisedUrl({ ...none, ...settings }, addresses).url;

describe('what other workers call this one by', () => {
  test('its listener; the http one where there are both, wherever it stands', () => {
    assert.deepEqual(advertisedUrl(none, [http]), { url: 'http://10.0.0.1:8083/', workerId: '10.0.0.1:8083' });
    assert.equal(urlOf({}, https), 'https://10.0.0.2:8443/');
    assert.equal(urlOf({}, https, http), 'http://10.0.0.1:8083/');
    assert.equal(urlOf({ advertisedListener: 'https' }, http, https), 'https://10.0.0.2:8443/');
  });

  test('what was set instead, each part by itself', () => {
    assert.equal(urlOf({ advertisedHost: 'connect-1' }, http), 'http://connect-1:8083/');
    assert.equal(urlOf({ advertisedPort: 80 }, http), 'http://10.0.0.1:80/');
    assert.equal(urlOf({ advertisedListener: 'https', advertisedHost: 'proxy', advertisedPort: 443 }, http), 'https://proxy:443/');
  });

  test('an address of this machine where it listens on all of them', () => {
    for (const host of ['', '0.0.0.0', '::'])
      assert.match(urlOf({}, { ...http, host }), /^http:\/\/(?!0\.0\.0\.0)\d+\.\d+\.\d+\.\d+:8083\/$/);
  });

  test('IPv6', () => {
    assert.deepEqual(advertisedUrl(none, [{ ...http, host: '::1' }]), { url: 'http://[::1]:8083/', workerId: '[::1]:8083' });
  });
});
