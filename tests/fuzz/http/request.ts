import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { jsonTree, type JsonValue } from '../values/json-tree.ts';
import { spoiled } from '../values/spoiled.ts';
import { unholdableText } from '../values/text.ts';

/** A request that can be printed, shrunk and sent again. */
export interface HostileRequest {
  method: string;
  /** Goes behind the endpoint's URL. */
  path: string;
  headers: Record<string, string>;
  body: Body;
  /** Whether it brings the credentials that the endpoint asks for. */
  trusted: boolean;
}

/** `bytes` in base64, so that a failing case can be read in a terminal. */
type Body =
  | { kind: 'json'; value: JsonValue }
  | { kind: 'text'; text: string }
  | { kind: 'bytes'; base64: string }
  | { kind: 'none' };

const methods = ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'] as const;

/** Text that is no JSON, or JSON that no writer of JSON makes. */
const rawTexts = [
  '',
  ' ',
  '{',
  '[',
  '{"a":',
  '{"a":1,}',
  '{"jobId":"1","jobId":"2"}',
  '{"name":"system/ping","name":"system/other","data":{}}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '[{"__proto__":{"polluted":true},"name":"system/ping","data":{"__proto__":{"polluted":true}}}]',
  '1e999999',
  '-0',
  '{"n":1e400}',
  '{"n":123456789012345678901234567890}',
  '"\\u0000"',
  '{"data":"\\u0000","name":"system/ping"}',
  '{"name":"a\\u0000b","data":{"a\\u0000":"\\ud800"}}',
  '{"data":{"\\udc00":"\\ud800"},"name":"system/ping"}',
  '\uFEFF{}',
  'null',
  'undefined',
  '[]',
  'a=1&b=2',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
  '{} {}',
  '{}\n{"level":"error"}',
] as const;

const nested = fc
  .tuple(
    fc.constantFrom(100, 5_000, 30_000),
    fc.constantFrom<[string, string]>(['[', ']'], ['{"a":', '}'], ['[', '']),
  )
  .map(([levels, [open, close]]) => `${open.repeat(levels)}1${close.repeat(levels)}`.replace('{"a":}', '{}'));

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  fc.constant(gzipSync('{"a":1}')),
  fc.constant(Buffer.from([0xff, 0xfe, 0x7b, 0x7d])),
  fc.constant(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])),
);

const headerText = fc.oneof(
  fc.constantFrom(
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer null',
    'Basic YTpi',
    'identity',
    'gzip',
    '*',
    '-1',
    '1e9',
    'null',
    ', ,',
  ),
  fc.constantFrom(
    'https://evil.example.com',
    '127.0.0.1',
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
  ),
  fc
    .string({ unit: fc.constantFrom(...'aZ0 -_.:/,;=%"\'(){}[]<>@é'), maxLength: 40 })
    .map((text) => text.trim()),
  fc.constant('x'.repeat(8_000)),
);

const headerNames = [
  ...[
    'authorization',
    'apikey',
    'content-type',
    'content-encoding',
    'accept',
    'accept-profile',
    'prefer',
    'origin',
    'cookie',
  ],
  ...[
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'forwarded',
    'x-real-ip',
    'x-original-url',
    'x-http-method-override',
  ],
  ...[
    'x-inngest-signature',
    'x-inngest-sdk',
    'x-inngest-event-id-seed',
    'x-inngest-server-kind',
    'x-inngest-sync-kind',
    'traceparent',
  ],
  ...['access-control-request-method', 'access-control-request-headers', 'range', 'if-none-match'],
] as const;

const paths = [
  '',
  '/',
  '//',
  '/../',
  '/%2e%2e/',
  '/%00',
  '/%',
  '/%ff',
  '?',
  '?wait=1',
  '?stepId=step',
  '?a[]=1&a=2',
  '/x'.repeat(500),
];

/**
 * Requests for an endpoint.
 * @param words - most of the keys of their bodies
 * @param samples - bodies of honest requests, to be spoiled in single places
 * @param ownPaths - of the endpoint, beside hostile ones
 */
export function hostileRequest(
  words: readonly string[],
  samples: readonly JsonValue[],
  ownPaths: readonly string[] = [''],
): fc.Arbitrary<HostileRequest> {
  const tree = jsonTree({ words, text: unholdableText });
  const body: fc.Arbitrary<Body> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .oneof(...samples.map((sample) => spoiled(sample, tree)))
        .map((value): Body => ({ kind: 'json', value })),
    },
    { weight: 4, arbitrary: tree.map((value): Body => ({ kind: 'json', value })) },
    { weight: 3, arbitrary: fc.constantFrom(...rawTexts).map((text): Body => ({ kind: 'text', text })) },
    { weight: 1, arbitrary: nested.map((text): Body => ({ kind: 'text', text })) },
    {
      weight: 1,
      arbitrary: bytes.map((buffer): Body => ({ kind: 'bytes', base64: buffer.toString('base64') })),
    },
    { weight: 1, arbitrary: fc.constant<Body>({ kind: 'none' }) },
  );
  return fc.record({
    method: fc.oneof(
      { weight: 6, arbitrary: fc.constant('POST') },
      { weight: 1, arbitrary: fc.constantFrom(...methods) },
    ),
    path: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...ownPaths) },
      { weight: 1, arbitrary: fc.constantFrom(...paths) },
    ),
    headers: fc.dictionary(fc.constantFrom(...headerNames), headerText, {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    body,
    trusted: fc.oneof(
      { weight: 4, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
  });
}

/** @param credentials - headers that a trusted request brings, whatever else it says */
export function toRequest(
  url: string,
  request: HostileRequest,
  credentials: Record<string, string>,
): Request {
  const { method, path, body, trusted } = request;
  const headers = new Headers({ 'content-type': 'application/json', ...latin1(request.headers) });
  for (const [name, value] of Object.entries(trusted ? credentials : {})) headers.set(name, value);
  const content = contentOf(body);
  const mayHaveBody = method !== 'GET' && method !== 'HEAD' && content !== undefined;
  return new Request(url + path, { method, headers, ...(mayHaveBody ? { body: content } : {}) });
}

/** A header carries bytes. */
function latin1(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => /^[\x20-\xff]*$/.test(value)));
}

function contentOf(body: Body): string | Buffer<ArrayBuffer> | undefined {
  if (body.kind === 'json') return JSON.stringify(body.value);
  if (body.kind === 'text') return body.text;
  return body.kind === 'bytes' ? Buffer.from(body.base64, 'base64') : undefined;
}
