/**
 * Runs in a process of its own: calls the handler of an unpacked Netlify function as AWS Lambda does.
 * Arguments: entry point, method, URL. Prints `{status, body}` as the last line.
 */
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

type Streaming = (event: object, response: Writable, context: object) => Promise<void>;

let status = 0;
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Streaming) => handler,
    HttpResponseStream: {
      from: (response: Writable, prelude: { statusCode: number }) => {
        status = prelude.statusCode;
        return response;
      },
    },
  },
});

const [entry = '', httpMethod = 'GET', rawUrl = ''] = process.argv.slice(2);
const chunks: Buffer[] = [];
const response = new Writable({
  write(chunk: Buffer, _encoding, done) {
    chunks.push(chunk);
    done();
  },
});
const { handler } = (await import(pathToFileURL(entry).href)) as { handler: Streaming };
const event = {
  rawUrl,
  httpMethod,
  headers: { host: new URL(rawUrl).host },
  flags: {},
  isBase64Encoded: false,
};
await handler(event, response, { awsRequestId: 'test', getRemainingTimeInMillis: () => 60_000 });
process.stdout.write(`\n${JSON.stringify({ status, body: Buffer.concat(chunks).toString() })}\n`);
process.exit(0);
