import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import type { RawConfig } from '../api/index.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { ForwardError, RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { InternalSignature } from '../ports/peers.ts';
import { createRestApp } from './app.ts';
import { createPeers } from './peers.ts';
import { startRestServer } from './server.ts';

// Seen on Kafka Connect 4.1.1: a key, and what it signs an empty list and an empty body with.
const key = { key: Buffer.from('56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=', 'base64'), algorithm: 'HmacSHA256', createdMs: 0 };
const ofEmptyList = 'T3NDQKXeBjy7Ykzx0wcNysQEQc4RbkFO+fN/nX7051I=';
const ofNothing = 'f3LgAtuZiHEdy18RolD6BtkBychC9j0Pdqm9YhNFgZU=';

interface Heard {
  readonly name: string;
  readonly configs?: readonly RawConfig[];
  readonly signature: InternalSignature;
}

function leader(heard: Heard[]): Herder {
  return {
    ...scriptedHerder(createLogLevels()),
    putTaskConfigs: async (name, configs, signature) => void heard.push({ name, configs, signature }),
    fenceZombies: async (name, signature) => void heard.push({ name, signature }),
  };
}

const serve = (herder: Herder) => startRestServer(createRestApp({ herder, isUser: async () => false }), ['http://127.0.0.1:0']);
const peers = createPeers({ signatureAlgorithm: 'HmacSHA256' });

describe('calls between workers', () => {
  test('are signed as Kafka Connect signs them, and the body comes as it was sent', async () => {
    const heard: Heard[] = [];
    await using server = await serve(leader(heard));
    await peers.putTaskConfigs(`${server.url}/`, 'a b/c', [], key);
    await peers.fenceZombies(`${server.url}/`, 'x', key);
    await peers.putTaskConfigs(server.url, 'x', [{ topic: 'ü', n: '1' }], key);
    assert.deepEqual(heard[0], {
      name: 'a b/c',
      configs: [],
      signature: { signature: ofEmptyList, algorithm: 'HmacSHA256', body: Buffer.from('[]') },
    });
    assert.deepEqual(heard[1], { name: 'x', signature: { signature: ofNothing, algorithm: 'HmacSHA256', body: Buffer.alloc(0) } });
    assert.deepEqual(heard[2]?.configs, [{ topic: 'ü', n: '1' }]);
    assert.deepEqual(heard[2]?.signature.body, Buffer.from('[{"topic":"ü","n":"1"}]'));
  });

  test('without a key they carry no signature', async () => {
    const heard: Heard[] = [];
    await using server = await serve(leader(heard));
    await peers.fenceZombies(server.url, 'x', undefined);
    assert.deepEqual(heard[0]?.signature, { signature: undefined, algorithm: undefined, body: Buffer.alloc(0) });
  });

  test('as a Java worker writes them: numbers, nulls, white space', async () => {
    const heard: Heard[] = [];
    await using server = await serve(leader(heard));
    const body = '[ {"a": 1, "b": null, "c": true} ]';
    const headers = {
      'Content-Type': 'application/json',
      'X-Connect-Authorization': 's',
      'X-Connect-Request-Signature-Algorithm': 'HmacSHA1',
    };
    const response = await fetch(`${server.url}/connectors/x/tasks/`, { method: 'POST', headers, body });
    assert.deepEqual([response.status, await response.text()], [204, '']);
    assert.deepEqual(heard[0], {
      name: 'x',
      configs: [{ a: '1', c: 'true' }],
      signature: { signature: 's', algorithm: 'HmacSHA1', body: Buffer.from(body) },
    });
    for (const wrong of ['{}', '', '[1]', '[{"a":{}}]', 'x']) {
      const refused = await fetch(`${server.url}/connectors/x/tasks`, { method: 'POST', headers, body: wrong });
      assert.equal(refused.status, 400, wrong);
    }
    assert.equal(heard.length, 1);
  });

  test('reject with the status and message of the answer', async () => {
    const herder: Herder = {
      ...leader([]),
      putTaskConfigs: () => Promise.reject(new RequestError(403, 'Internal request contained invalid signature.')),
    };
    await using server = await serve(herder);
    const failure = (status: number, message: RegExp) => (error: unknown) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.status, status);
      assert.match(error.message, message);
      return true;
    };
    await assert.rejects(peers.putTaskConfigs(server.url, 'x', [], key), failure(403, /^Internal request contained invalid signature\.$/));
    await server[Symbol.asyncDispose]();
    await assert.rejects(peers.fenceZombies(server.url, 'x', key), failure(500, /ECONNREFUSED/));
  });

  test('a worker that leads no more sends them on, signature and all', async () => {
    const heard: Heard[] = [];
    await using next = await serve(leader(heard));
    const elsewhere = () => Promise.reject(new ForwardError(`${next.url}/`));
    await using former = await serve({ ...leader([]), putTaskConfigs: elsewhere, fenceZombies: elsewhere });
    await peers.putTaskConfigs(former.url, 'x', [], key);
    await peers.fenceZombies(former.url, 'x', key);
    assert.deepEqual(
      heard.map(({ signature }) => signature.signature),
      [ofEmptyList, ofNothing],
    );
  });
});
