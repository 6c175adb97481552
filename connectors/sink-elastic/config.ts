import type { ConfigValues } from '@millrace/runtime/api';

import { connectionKeys } from './config-connection.ts';
import { conversionKeys } from './config-conversion.ts';
import { securityKeys } from './config-security.ts';

/** All keys of io.confluent.connect.elasticsearch.ElasticsearchSinkConnector, with its defaults, and `connection.api.key`. */
export const config = { ...connectionKeys, ...conversionKeys, ...securityKeys };

export type Config = ConfigValues<typeof config>;
