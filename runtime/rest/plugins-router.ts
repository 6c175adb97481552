/** `/connector-plugins`. Source: …rest.resources.ConnectorPluginsResource. */
import { Router } from 'express';

import type { RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { ConfigInfo, ConfigInfos } from '../ports/tasks.ts';
import { previewJson, previewOptionsOf } from './preview-answer.ts';
import { configOf, nullRefused, patchOf } from './request-body.ts';
import { flag, ok, resource } from './resource.ts';
import type { Answer, Call } from './resource.ts';

export function pluginsRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/connector-plugins', { GET: (call) => ok(herder.plugins(flag(call.query, 'connectorsOnly', true))) });
  resource(router, '/connector-plugins/:plugin/config', {
    GET: async (call) => ok(await herder.pluginConfig(call.param('plugin'), call.query.get('version') ?? undefined)),
  });
  resource(router, '/connector-plugins/:plugin/config/validate', { PUT: (call) => validate(herder, call) });
  // None of Kafka Connect's paths.
  resource(router, '/connector-plugins/:plugin/preview', { POST: (call) => preview(herder, call) });
  return router;
}

async function preview(herder: Herder, call: Call): Promise<Answer> {
  const plugin = call.param('plugin');
  const options = previewOptionsOf(call.query);
  const config = configOf(call.body());
  refuseOther(plugin, config);
  const body = previewJson(await herder.preview(plugin, config, { ...options, signal: call.signal }));
  return { status: 200, body, contentType: 'application/json' };
}

async function validate(herder: Herder, call: Call): Promise<Answer> {
  const plugin = call.param('plugin');
  const given = Object.entries(patchOf(call.body()));
  const nulls = given.filter(([, value]) => value === null).map(([key]) => key);
  const config = Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null));
  refuseOther(plugin, config);
  return ok(withNulls(await herder.validate(plugin, config), nulls));
}

function refuseOther(plugin: string, config: RawConfig): void {
  const connectorClass = config['connector.class'];
  if (connectorClass !== undefined && !normalized(connectorClass).endsWith(normalized(plugin))) {
    throw new RequestError(400, `Included connector type ${connectorClass} does not match request type ${plugin}`);
  }
}

/** `FileStreamSource` names `org.apache.kafka.connect.file.FileStreamSourceConnector`. */
function normalized(plugin: string): string {
  return plugin.endsWith('Connector') ? plugin.slice(0, -'Connector'.length) : plugin;
}

/** A null among the values is an error of its key. Source: AbstractHerder.addNullValuedErrors. */
function withNulls(infos: ConfigInfos, keys: readonly string[]): ConfigInfos {
  if (keys.length === 0) return infos;
  const refused = (info: ConfigInfo): ConfigInfo =>
    keys.includes(info.value.name) ? { ...info, value: { ...info.value, errors: [...info.value.errors, nullRefused] } } : info;
  const known = new Set(infos.configs.map((info) => info.value.name));
  const undeclared = keys
    .filter((key) => !known.has(key))
    .map((name) => ({ definition: null, value: { name, value: null, recommended_values: [], errors: [nullRefused], visible: true } }));
  return { ...infos, error_count: infos.error_count + keys.length, configs: [...infos.configs.map(refused), ...undeclared] };
}
