/** Keys of the S3 group: the bucket, how it is reached, and how objects are written. */
import { ObjectCannedACL } from '@aws-sdk/client-s3';
import { defineConfig } from '@millrace/runtime/api';
import { credentialsClasses, knownClass } from './config-classes.ts';
import { atLeast, codec, oneOf, positiveOrOff } from './config-rules.ts';

/** S3's own limit for all parts but the last. */
export const smallestPartBytes = 5 * 1024 * 1024;

const defaultProvider = 'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider';
const group = 'S3';

const accessKeys = defineConfig({
  's3.bucket.name': { type: 'string', rule: { kind: 'not-empty' }, importance: 'high', group, doc: 'The bucket; it must exist.' },
  's3.region': {
    type: 'string',
    default: 'us-west-2',
    rule: { kind: 'not-empty' },
    importance: 'medium',
    group,
    doc: 'The region of the bucket.',
  },
  's3.path.style.access.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    doc: "Whether the bucket's name stands in the path of requests rather than in the host name.",
  },
  's3.wan.mode': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group,
    doc: 'Whether the S3 accelerated endpoint is used; needs s3.path.style.access.enabled=false.',
  },
  'aws.access.key.id': {
    type: 'string',
    default: '',
    importance: 'high',
    group,
    doc: 'Access key; the credentials provider is asked when left out.',
  },
  'aws.secret.access.key': { type: 'password', default: '', importance: 'high', group, doc: 'Secret of the access key.' },
  's3.credentials.provider.class': {
    type: 'class',
    default: defaultProvider,
    rule: knownClass(credentialsClasses),
    importance: 'low',
    group,
    doc: 'Where credentials come from. AwsAssumeRoleCredentialsProvider reads s3.credentials.provider.sts.role.arn, .session.name, .external.id and .sts.region.',
  },
  's3.proxy.url': { type: 'string', default: '', importance: 'low', group, doc: 'An HTTP proxy between here and S3.' },
  's3.proxy.user': { type: 'string', default: null, importance: 'low', group, doc: 'User for the proxy.' },
  's3.proxy.password': { type: 'password', default: null, importance: 'low', group, doc: 'Password for the proxy.' },
  's3.http.send.expect.continue': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    noEffect: 'bodies are sent at once; a refusal is an answer like any other',
    doc: 'Whether uploads wait for the server to say that it will take them.',
  },
  's3.request.timeout.ms': {
    type: 'int',
    default: 60_000,
    rule: atLeast(1),
    importance: 'low',
    group,
    doc: "How long a connection may be silent before its request is tried again. (Millrace's own.)",
  },
  's3.send.digest': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    doc: 'Whether uploads carry an MD5 digest, by which S3 checks what arrives.',
  },
});

const objectKeys = defineConfig({
  's3.part.size': {
    type: 'int',
    default: 26_214_400,
    rule: { kind: 'range', min: smallestPartBytes, max: 2_147_483_647 },
    importance: 'high',
    group,
    doc: 'Bytes of a part of a multipart upload; a smaller file goes up in one request.',
  },
  's3.part.retries': {
    type: 'int',
    default: 3,
    rule: atLeast(0),
    importance: 'medium',
    group,
    doc: 'Attempts after the first that are made soon; later ones follow every retry.backoff.ms.',
  },
  's3.retry.backoff.ms': {
    type: 'long',
    default: 200,
    rule: atLeast(0),
    importance: 'low',
    group,
    doc: 'Wait before the first of these attempts; it doubles with each, and is random up to that.',
  },
  's3.compression.type': {
    type: 'string',
    default: 'none',
    rule: codec(['none', 'gzip', 'zstd'], []),
    importance: 'low',
    group,
    doc: 'Compression of JsonFormat and ByteArrayFormat files: none, gzip, zstd.',
  },
  's3.compression.level': {
    type: 'int',
    default: -1,
    rule: { kind: 'range', min: -1, max: 9 },
    importance: 'low',
    group,
    doc: 'Level of that compression; -1 for its usual one.',
  },
  's3.ssea.name': {
    type: 'string',
    default: '',
    rule: oneOf('', 'AES256', 'aws:kms', 'aws:kms:dsse', 'aws:fsx'),
    importance: 'low',
    group,
    doc: 'Server-side encryption.',
  },
  's3.sse.customer.key': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    doc: 'A 32-byte key in base64 of your own, with s3.ssea.name=AES256.',
  },
  's3.sse.kms.key.id': {
    type: 'string',
    default: '',
    importance: 'low',
    group,
    doc: "The KMS key, with s3.ssea.name=aws:kms; the account's own one when left out.",
  },
  's3.acl.canned': {
    type: 'string',
    default: null,
    rule: { kind: 'one-of', values: Object.values(ObjectCannedACL) },
    importance: 'low',
    group,
    doc: 'Canned ACL of the objects.',
  },
  's3.object.tagging': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    doc: 'Whether objects are tagged with startOffset, endOffset and recordCount.',
  },
  's3.object.tagging.key.value.pairs': { type: 'list', default: [], importance: 'low', group, doc: 'Further tags, each key:value.' },
  's3.object.behavior.on.tagging.error': {
    type: 'string',
    default: 'ignore',
    rule: oneOf('ignore', 'fail'),
    importance: 'low',
    group,
    doc: 'Whether an object that cannot be tagged fails the task.',
  },
  's3.buffer.max.bytes': {
    type: 'long',
    default: 134_217_728,
    rule: atLeast(1_048_576),
    importance: 'medium',
    group,
    doc: "Memory of a task for what is not uploaded yet; what is above goes to files below s3.buffer.spill.dir. (Millrace's own.)",
  },
  's3.buffer.spill.dir': {
    type: 'string',
    default: '',
    importance: 'low',
    group,
    doc: "Folder for those files; the system's temporary folder when left out. (Millrace's own.)",
  },
  's3.elastic.buffer.enable': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    noEffect: 'buffers always grow as they are needed, up to s3.buffer.max.bytes',
    doc: 'Whether buffers grow as they are needed.',
  },
  's3.elastic.buffer.init.capacity': {
    type: 'int',
    default: 131_072,
    rule: atLeast(4096),
    importance: 'low',
    group,
    noEffect: 'buffers always grow as they are needed, up to s3.buffer.max.bytes',
    doc: 'First size of buffers that grow.',
  },
  'max.write.duration.ms': {
    type: 'long',
    default: Number.MAX_SAFE_INTEGER,
    rule: positiveOrOff,
    importance: 'low',
    group,
    noEffect: 'uploads run beside the reading of records, and the membership of the group does not wait for them',
    doc: 'Longest time to write in one go.',
  },
  'enable.conditional.writes': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    noEffect: 'an object that is there already is written again under its name, never beside it',
    doc: 'Whether scheduled rotation writes only objects that are not there yet.',
  },
  'max.files.scan.limit': {
    type: 'int',
    default: 100,
    importance: 'low',
    group,
    internal: true,
    noEffect: 'enable.conditional.writes has none',
    doc: 'Bound of the search for a free name.',
  },
});

export const s3Keys = { ...accessKeys, ...objectKeys };
