import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { access, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';

/** As root, in a container without a sandbox of its own, and without anything that calls home. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--lang=en-US',
  '--font-render-hinting=none',
];

/** The Chromium inside the package `@sparticuz/chromium`, without a window. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: await unpackedChromium(), args: FLAGS });
}

/** Unpacked once per version; put into its place in one move, so that several processes may do it at once. */
async function unpackedChromium(): Promise<string> {
  const packageFile = join(
    dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')),
    '../package.json',
  );
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const place = join(tmpdir(), `hybrid-jobs-chromium-${version}`);
  const isThere = await access(place).then(
    () => true,
    () => false,
  );
  if (isThere) return place;
  const packed = createReadStream(join(dirname(packageFile), 'bin/chromium.br'));
  const beside = `${place}-${process.pid}`;
  await pipeline(packed, createBrotliDecompress(), createWriteStream(beside, { mode: 0o755 }));
  await rename(beside, place);
  return place;
}
